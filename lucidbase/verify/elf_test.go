package verify

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"
)

// elfSpec is a small ELF file that a test makes: one LOAD segment with all of it.
type elfSpec struct {
	machine          elf.Machine // zero: amd64
	kind             elf.Type    // zero: ET_DYN
	interpreter      string
	soname, runpath  string
	needed, versions []string // versions are needed of the first library
	align            uint64   // zero: 4096
	stack            elf.ProgFlag
	noStack, pie     bool
}

// craftELF puts strings behind the headers, then the needed versions, then the
// dynamic section; addresses are offsets.
func craftELF(s elfSpec) []byte {
	const strtab = 64 + 4*56
	table := []byte{0}
	str := func(v string) uint64 {
		table = append(append(table, v...), 0)
		return uint64(len(table) - len(v) - 1)
	}
	var dynamic []uint64
	for _, n := range s.needed {
		dynamic = append(dynamic, uint64(elf.DT_NEEDED), str(n))
	}
	if s.soname != "" {
		dynamic = append(dynamic, uint64(elf.DT_SONAME), str(s.soname))
	}
	if s.runpath != "" {
		dynamic = append(dynamic, uint64(elf.DT_RUNPATH), str(s.runpath))
	}
	if s.pie {
		dynamic = append(dynamic, uint64(elf.DT_FLAGS_1), uint64(elf.DF_1_PIE))
	}
	interpreter := str(s.interpreter)
	var versions []byte
	le := binary.LittleEndian
	if len(s.versions) > 0 {
		versions = le.AppendUint16(le.AppendUint16(nil, 1), uint16(len(s.versions)))
		versions = le.AppendUint32(le.AppendUint32(le.AppendUint32(versions, uint32(dynamic[1])), 16), 0)
		for i, v := range s.versions {
			next, flags := uint32(16), uint16(0)
			if i == len(s.versions)-1 {
				next = 0
			}
			if v[0] == '?' { // weak
				v, flags = v[1:], 2
			}
			versions = le.AppendUint16(le.AppendUint16(le.AppendUint32(versions, 0), flags), 0)
			versions = le.AppendUint32(le.AppendUint32(versions, uint32(str(v))), next)
		}
		dynamic = append(dynamic, uint64(elf.DT_VERNEED), uint64(strtab+len(table)), uint64(elf.DT_VERNEEDNUM), 1)
	}
	dynamic = append(dynamic, uint64(elf.DT_STRTAB), strtab, uint64(elf.DT_STRSZ), uint64(len(table)), 0, 0)
	at := uint64(strtab + len(table) + len(versions))
	size := at + uint64(8*len(dynamic))
	if s.align == 0 {
		s.align = 4096
	}
	null := elf.PT_NULL
	pick := func(yes bool, t elf.ProgType) uint32 {
		if yes {
			return uint32(t)
		}
		return uint32(null)
	}
	var b bytes.Buffer
	h := elf.Header64{Type: uint16(elf.ET_DYN), Machine: uint16(elf.EM_X86_64), Version: 1, Phoff: 64, Ehsize: 64, Phentsize: 56, Phnum: 4}
	copy(h.Ident[:], elf.ELFMAG+"\x02\x01\x01")
	if s.machine != 0 {
		h.Machine = uint16(s.machine)
	}
	if s.kind != 0 {
		h.Type = uint16(s.kind)
	}
	for _, part := range []any{
		h,
		elf.Prog64{Type: uint32(elf.PT_LOAD), Flags: 5, Filesz: size, Memsz: size, Align: s.align},
		elf.Prog64{Type: pick(s.interpreter != "", elf.PT_INTERP), Off: strtab + interpreter, Filesz: uint64(len(s.interpreter) + 1)},
		elf.Prog64{Type: uint32(elf.PT_DYNAMIC), Off: at, Vaddr: at, Filesz: uint64(8 * len(dynamic))},
		elf.Prog64{Type: pick(!s.noStack, elf.PT_GNU_STACK), Flags: uint32(s.stack | 6)},
		table, versions, dynamic,
	} {
		_ = binary.Write(&b, le, part) // a buffer's writes do not end with an error
	}
	return b.Bytes()
}

func TestParseELF(t *testing.T) {
	needs := []string{"libc.so.6", "libm.so.6"}
	for name, c := range map[string]struct {
		in   elfSpec
		want ELF
	}{
		"library": {elfSpec{needed: needs, soname: "liba.so", runpath: "$ORIGIN:/x", versions: []string{"GLIBC_2.38", "?GLIBC_2.99", "GLIBC_2.4"}},
			ELF{Type: "dyn", Machine: "amd64", Needed: needs, Soname: "liba.so", RunPath: []string{"$ORIGIN", "/x"}, Align: 4096,
				Requires: []SymbolVersion{{"libc.so.6", "GLIBC_2.38"}, {"libc.so.6", "GLIBC_2.4"}}}},
		"program":                   {elfSpec{kind: elf.ET_EXEC, needed: needs[:1], interpreter: "/lib64/ld.so"}, ELF{Type: "exec", Machine: "amd64", Executable: true, Interpreter: "/lib64/ld.so", Needed: needs[:1], Align: 4096}},
		"arm64":                     {elfSpec{machine: elf.EM_AARCH64, align: 65536}, ELF{Type: "dyn", Machine: "arm64", Align: 65536}},
		"other":                     {elfSpec{machine: elf.EM_RISCV}, ELF{Type: "dyn", Machine: "EM_RISCV", Align: 4096}},
		"unknown":                   {elfSpec{machine: 1234}, ELF{Type: "dyn", Machine: "EM_1234", Align: 4096}},
		"static pie":                {elfSpec{pie: true, noStack: true}, ELF{Type: "dyn", Machine: "amd64", Executable: true, Align: 4096}},
		"stack":                     {elfSpec{stack: elf.PF_X}, ELF{Type: "dyn", Machine: "amd64", Align: 4096, ExecStack: true}},
		"no stack, loaded by glibc": {elfSpec{noStack: true}, ELF{Type: "dyn", Machine: "amd64", Align: 4096, ExecStack: true}},
		"no stack, loaded by musl":  {elfSpec{noStack: true, interpreter: "/lib/ld-musl-x86_64.so.1"}, ELF{Type: "dyn", Machine: "amd64", Executable: true, Interpreter: "/lib/ld-musl-x86_64.so.1", Align: 4096}},
		"object":                    {elfSpec{kind: elf.ET_REL}, ELF{Type: "rel", Machine: "amd64"}},
	} {
		t.Run(name, func(t *testing.T) {
			data := craftELF(c.in)
			got, err := parseELF(bytes.NewReader(data), int64(len(data)))
			require.NoError(t, err)
			require.Equal(t, &c.want, got)
		})
	}
}

func TestParseELFDamaged(t *testing.T) {
	good := craftELF(elfSpec{needed: []string{"libc.so.6"}, interpreter: "/lib64/ld.so", versions: []string{"GLIBC_2.4"}})
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
			_, err := parseELF(bytes.NewReader(c.data), int64(len(c.data)))
			require.ErrorContains(t, err, c.want)
			require.NotContains(t, err.Error(), "\n")
		})
	}
}

func FuzzELF(f *testing.F) {
	f.Add(craftELF(elfSpec{needed: []string{"libc.so.6"}, interpreter: "/lib64/ld.so", versions: []string{"GLIBC_2.4"}}))
	f.Add(craftELF(elfSpec{machine: elf.EM_AARCH64, soname: "a", runpath: "$ORIGIN", pie: true}))
	f.Add([]byte(elf.ELFMAG + "\x01\x02\x01"))
	f.Fuzz(func(t *testing.T, data []byte) {
		parsed, _ := parseELF(bytes.NewReader(data), int64(len(data)))
		require.NotNil(t, parsed)
		require.LessOrEqual(t, len(parsed.Needed), maxNeeded)
		require.LessOrEqual(t, len(parsed.Requires)+len(parsed.Provides), 2*maxVersion)
	})
}
