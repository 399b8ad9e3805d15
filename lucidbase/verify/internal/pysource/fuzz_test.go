package pysource

import (
	"slices"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

func FuzzParse(f *testing.F) {
	for _, src := range []string{
		"import a.b as c, d\nfrom .x import (y, # z\n w)\n", "if 1:\n\timport a\n\n  \\\n x = 1; import b", "f'{x!r:>{w}}' f\"{d['a']}\" rb'\\'' f'''{\n'a'}'''",
		"# coding: latin-1\nx = '\xe9'", "def f():\n  from a import b\n  return\n\nf()\n", "match x:\n case 1: y\nasync def g(): pass\n", "sys.path.insert(0, 'x')\nimport y", "\ufeffimport a\r\nimport b\rimport c\f",
	} {
		f.Add([]byte(src))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m := Parse(data)
		require.LessOrEqual(t, len(m.Steps), maxSteps)
		require.True(t, slices.IsSorted(m.Names) && slices.IsSorted(m.Sets))
		for _, n := range m.Names {
			require.True(t, n != "" && len(n) <= maxName && utf8.ValidString(n), "%q", n)
		}
		if m.Unread {
			require.Empty(t, m.Steps)
		}
		last := 0
		for _, s := range m.Steps {
			require.True(t, s.Line >= 1 && s.Line <= 1+len(data), "line %d", s.Line)
			if s.Action != Change && s.Action != Call {
				require.GreaterOrEqual(t, s.Line, last)
				last = s.Line
			}
		}
	})
}
