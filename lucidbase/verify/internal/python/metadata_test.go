package python

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestSourceHash has what CPython 3.11 gives:
// _imp.source_hash(importlib.util._RAW_MAGIC_NUMBER, source).hex().
func TestSourceHash(t *testing.T) {
	for source, want := range map[string]string{
		"":                            "738d9cd5d5e87f73",
		"a":                           "fa30db0730dcbf07",
		"1234567":                     "771b330c6bae621e",
		"12345678":                    "34289d744291b0e4",
		"import os\nprint(os.name)\n": "97fb95092ff311a8",
		strings.Repeat("x", 1000):     "91e54c9786268d0a",
	} {
		for _, piece := range []int{1, 3, 8, 1000} {
			s := NewSourceHash()
			for rest := source; rest != ""; {
				n := min(piece, len(rest))
				s.Add([]byte(rest[:n]))
				rest = rest[n:]
			}
			require.Equal(t, want, s.Sum(), "%d bytes in pieces of %d", len(source), piece)
		}
	}
}

func TestBytecode(t *testing.T) {
	magic := "\xa7\x0d\r\n"
	for name, c := range map[string]struct {
		head    string
		want    *Bytecode
		problem string
	}{
		"time":        {magic + "\x00\x00\x00\x00\x00\xca\x9a\x3b\x10\x00\x00\x00", &Bytecode{Magic: 3495, MTime: 1_000_000_000, Size: 16}, ""},
		"checked":     {magic + "\x03\x00\x00\x00\x01\x02\x03\x04\x05\x06\x07\x08", &Bytecode{Magic: 3495, Hash: "0102030405060708"}, ""},
		"unchecked":   {magic + "\x01\x00\x00\x00\x01\x02\x03\x04\x05\x06\x07\x08", &Bytecode{Magic: 3495, Hash: "0102030405060708"}, ""},
		"Python 2.7":  {"\x03\xf3\r\n\x8e\xe2\xfe\x69coooooooo", &Bytecode{Magic: 62211}, ""},
		"flags":       {magic + "\x09\x00\x00\x00\x01\x02\x03\x04\x05\x06\x07\x08", &Bytecode{Magic: 3495}, "bytecode: flags 0x9"},
		"short":       {magic, nil, "bytecode: 4 bytes, its header has 16"},
		"no bytecode": {"import os; print(1)", nil, "bytecode: no magic number"},
	} {
		t.Run(name, func(t *testing.T) {
			got, problem := ParseBytecode([]byte(c.head))
			require.Equal(t, c.want, got)
			require.Equal(t, c.problem, problem)
		})
	}
}

func TestParseMetadata(t *testing.T) {
	d, err := ParseMetadata([]byte("Metadata-Version: 2.1\r\nName: Foo.Bar\nversion: 1.0\nRequires-Python: >=3.8\n" +
		"Requires-Dist: a (>=1) ;\n  extra == 'x'\nRequires-Dist: b\n\nName: not this\nRequires-Dist: c\n"))
	require.NoError(t, err)
	require.Equal(t, &Distribution{Name: "Foo.Bar", Version: "1.0", Python: ">=3.8", Requires: []string{"a (>=1) ; extra == 'x'", "b"}}, d)
	_, err = ParseMetadata([]byte("\nName: late\n"))
	require.EqualError(t, err, "no Name")
	_, err = ParseMetadata([]byte("Name: a\n"))
	require.EqualError(t, err, "no Version")
}

func TestParseWheel(t *testing.T) {
	tags := ParseWheelTags([]byte("Wheel-Version: 1.0\nTag: cp311-cp311-manylinux_2_17_x86_64\nTag: cp311-cp311-manylinux2014_x86_64\n"))
	require.Equal(t, []string{"cp311-cp311-manylinux_2_17_x86_64", "cp311-cp311-manylinux2014_x86_64"}, tags)
}

func TestParseRecord(t *testing.T) {
	r, lines, err := ParseRecord([]byte("a/__init__.py,sha256=AAA,12\n\"a,b.py\",,\r\na-1.dist-info/RECORD,,\n../../../bin/a,sha256=BBB,0\n"), 4)
	require.NoError(t, err)
	require.Equal(t, 4, lines)
	require.Equal(t, []RecordEntry{{"a/__init__.py", "sha256=AAA", 12}, {"a,b.py", "", -1}, {"a-1.dist-info/RECORD", "", -1}, {"../../../bin/a", "sha256=BBB", 0}}, r.Entries)
	for text, want := range map[string]string{
		"a,,\nb,,x\n":   `line 2: "b": size "x"`,
		"a,,-1\n":       `line 1: "a": size "-1"`,
		",sha256=A,1\n": "line 1: no path",
	} {
		_, _, err := ParseRecord([]byte(text), 4)
		require.EqualError(t, err, want)
	}
	r, lines, err = ParseRecord([]byte("a,,\nb,,\n"), 1)
	require.ErrorIs(t, err, ErrTooManyLines)
	require.Empty(t, r)
	require.Equal(t, 2, lines)
}
