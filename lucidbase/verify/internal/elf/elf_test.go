package elf

import (
	"bytes"
	"debug/elf"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseELF(t *testing.T) {
	needs := []string{"libc.so.6", "libm.so.6"}
	for name, c := range map[string]struct {
		in   elfSpec
		want File
	}{
		"library": {elfSpec{Needed: needs, Soname: "liba.so", Runpath: "$ORIGIN:/x", Versions: []string{"GLIBC_2.38", "?GLIBC_2.99", "GLIBC_2.4"}},
			File{Type: "dyn", Machine: "amd64", Needed: needs, Soname: "liba.so", RunPath: []string{"$ORIGIN", "/x"}, Align: 4096,
				Requires: []SymbolVersion{{"libc.so.6", "GLIBC_2.38"}, {"libc.so.6", "GLIBC_2.4"}}}},
		"program":                   {elfSpec{Kind: elf.ET_EXEC, Needed: needs[:1], Interpreter: "/lib64/ld.so"}, File{Type: "exec", Machine: "amd64", Executable: true, Interpreter: "/lib64/ld.so", Needed: needs[:1], Align: 4096}},
		"arm64":                     {elfSpec{Machine: elf.EM_AARCH64, Align: 65536}, File{Type: "dyn", Machine: "arm64", Align: 65536}},
		"other":                     {elfSpec{Machine: elf.EM_RISCV}, File{Type: "dyn", Machine: "EM_RISCV", Align: 4096}},
		"unknown":                   {elfSpec{Machine: 1234}, File{Type: "dyn", Machine: "EM_1234", Align: 4096}},
		"static pie":                {elfSpec{Pie: true, NoStack: true}, File{Type: "dyn", Machine: "amd64", Executable: true, Align: 4096}},
		"stack":                     {elfSpec{Stack: elf.PF_X}, File{Type: "dyn", Machine: "amd64", Align: 4096, ExecStack: true}},
		"no stack, loaded by glibc": {elfSpec{NoStack: true}, File{Type: "dyn", Machine: "amd64", Align: 4096, ExecStack: true}},
		"no stack, loaded by musl":  {elfSpec{NoStack: true, Interpreter: "/lib/ld-musl-x86_64.so.1"}, File{Type: "dyn", Machine: "amd64", Executable: true, Interpreter: "/lib/ld-musl-x86_64.so.1", Align: 4096}},
		"object":                    {elfSpec{Kind: elf.ET_REL}, File{Type: "rel", Machine: "amd64"}},
	} {
		t.Run(name, func(t *testing.T) {
			data := craftELF(c.in)
			got, err := Parse(bytes.NewReader(data), int64(len(data)))
			require.NoError(t, err)
			require.Equal(t, &c.want, got)
		})
	}
}

func TestParseELFDamaged(t *testing.T) {
	good := craftELF(elfSpec{Needed: []string{"libc.so.6"}, Interpreter: "/lib64/ld.so", Versions: []string{"GLIBC_2.4"}})
	change := func(at int, with ...byte) []byte {
		d := bytes.Clone(good)
		copy(d[at:], with)
		return d
	}
	huge := bytes.Repeat([]byte{0xff}, 8)
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"magic alone":     {good[:4], "its header is cut off"},
		"half a header":   {good[:40], "its header is cut off"},
		"cut off":         {good[:len(good)-20], "cut off: a segment ends at"},
		"byte order":      {change(5, 9), "byte order 9"},
		"class":           {change(4, 9), "class 9"},
		"program headers": {change(32, huge...), "its 4 program headers at 18446744073709551615: outside the file"},
		"header size":     {change(54, 1), "program headers of 1 bytes"},
		"no headers":      {change(56, 0), "no program headers"},
		"interpreter":     {change(64+56+8, huge...), "its interpreter's name"},
		"dynamic section": {change(64+2*56+8, huge...), "its dynamic section"},
		"segment":         {change(64+32, huge...), "cut off: a segment"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse(bytes.NewReader(c.data), int64(len(c.data)))
			require.ErrorContains(t, err, c.want)
			require.NotContains(t, err.Error(), "\n")
		})
	}
}

func FuzzELF(f *testing.F) {
	f.Add(craftELF(elfSpec{Needed: []string{"libc.so.6"}, Interpreter: "/lib64/ld.so", Versions: []string{"GLIBC_2.4"}}))
	f.Add(craftELF(elfSpec{Machine: elf.EM_AARCH64, Soname: "a", Runpath: "$ORIGIN", Pie: true}))
	f.Add([]byte(elf.ELFMAG + "\x01\x02\x01"))
	f.Fuzz(func(t *testing.T, data []byte) {
		parsed, _ := Parse(bytes.NewReader(data), int64(len(data)))
		require.NotNil(t, parsed)
		require.LessOrEqual(t, len(parsed.Needed), maxNeeded)
		require.LessOrEqual(t, len(parsed.Requires)+len(parsed.Provides), 2*maxVersion)
	})
}
