package pysource

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The time for a source grows with its size alone: a hostile image can have any.
func TestBounded(t *testing.T) {
	for _, unit := range []string{
		"f'{", "f\"{f'{", "f'''{'", "f'{x:{", "(", "def f(): return\n", "a.b", "'''", "def f():\n global x\n", "x = y = ", "import a.", "from .a import b as c,",
		"sys.path[", "match x:\n case y: z\n", "f'{\"'\n", "\\N{", "f'\\N{'\n", "a;", "if x:\n\t", "a(", "global ", "global x;", "# coding\n", "\r", "f'''{x!r:{", "lambda:", "class A:\n x.y=", "f'{a}' ",
	} {
		start := time.Now()
		Parse([]byte(strings.Repeat(unit, MaxSize/len(unit))))
		require.Less(t, time.Since(start), time.Minute, "%q", unit)
	}
}
