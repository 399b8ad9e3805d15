package pysource

import (
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// mostPerByte is what a byte of a source may cost: most of it is tokens, of which each is
// kept while its line is read, and the list of them grows by copying.
const mostPerByte = 256

// The work for a source grows with its size alone: a hostile image can have any.
// What is allocated is counted, not the time, which is another on a busy machine.
func TestBounded(t *testing.T) {
	for _, unit := range []string{
		"f'{", "f\"{f'{", "f'''{'", "f'{x:{", "(", "def f(): return\n", "a.b", "'''", "def f():\n global x\n", "x = y = ", "import a.", "from .a import b as c,",
		"sys.path[", "match x:\n case y: z\n", "f'{\"'\n", "\\N{", "f'\\N{'\n", "a;", "if x:\n\t", "a(", "global ", "global x;", "# coding\n", "\r", "f'''{x!r:{", "lambda:", "class A:\n x.y=", "f'{a}' ",
	} {
		source := []byte(strings.Repeat(unit, MaxSize/len(unit)))
		require.Less(t, allocated(func() { Parse(source) }), mostPerByte*len(source), "%q", unit)
	}
}

func allocated(f func()) int {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return int(after.TotalAlloc - before.TotalAlloc)
}
