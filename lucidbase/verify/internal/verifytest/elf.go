package verifytest

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"strings"
)

// ELFSpec is a small ELF file that a test makes: one LOAD segment with all of it.
type ELFSpec struct {
	Machine          elf.Machine // zero: amd64
	Kind             elf.Type    // zero: ET_DYN
	Interpreter      string
	Soname, Runpath  string
	Needed, Versions []string // versions are needed of the first library
	Align            uint64   // zero: 4096
	Stack            elf.ProgFlag
	NoStack, Pie     bool
}

// ELF puts strings behind the headers, then the needed versions, then the
// dynamic section; addresses are offsets.
func ELF(s ELFSpec) []byte {
	const strtab = 64 + 4*56
	table := []byte{0}
	str := func(v string) uint64 {
		table = append(append(table, v...), 0)
		return uint64(len(table) - len(v) - 1)
	}
	var dynamic []uint64
	for _, n := range s.Needed {
		dynamic = append(dynamic, uint64(elf.DT_NEEDED), str(n))
	}
	if s.Soname != "" {
		dynamic = append(dynamic, uint64(elf.DT_SONAME), str(s.Soname))
	}
	if s.Runpath != "" {
		dynamic = append(dynamic, uint64(elf.DT_RUNPATH), str(s.Runpath))
	}
	if s.Pie {
		dynamic = append(dynamic, uint64(elf.DT_FLAGS_1), uint64(elf.DF_1_PIE))
	}
	interpreter := str(s.Interpreter)
	var versions []byte
	le := binary.LittleEndian
	if len(s.Versions) > 0 {
		versions = le.AppendUint16(le.AppendUint16(nil, 1), uint16(len(s.Versions)))
		versions = le.AppendUint32(le.AppendUint32(le.AppendUint32(versions, uint32(dynamic[1])), 16), 0)
		for i, v := range s.Versions {
			next, flags := uint32(16), uint16(0)
			if i == len(s.Versions)-1 {
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
	if s.Align == 0 {
		s.Align = 4096
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
	if s.Machine != 0 {
		h.Machine = uint16(s.Machine)
	}
	if s.Kind != 0 {
		h.Type = uint16(s.Kind)
	}
	for _, part := range []any{
		h,
		elf.Prog64{Type: uint32(elf.PT_LOAD), Flags: 5, Filesz: size, Memsz: size, Align: s.Align},
		elf.Prog64{Type: pick(s.Interpreter != "", elf.PT_INTERP), Off: strtab + interpreter, Filesz: uint64(len(s.Interpreter) + 1)},
		elf.Prog64{Type: uint32(elf.PT_DYNAMIC), Off: at, Vaddr: at, Filesz: uint64(8 * len(dynamic))},
		elf.Prog64{Type: pick(!s.NoStack, elf.PT_GNU_STACK), Flags: uint32(s.Stack | 6)},
		table, versions, dynamic,
	} {
		_ = binary.Write(&b, le, part) // a buffer's writes do not end with an error
	}
	return b.Bytes()
}

// ELFWith is an ELF file with C strings in it.
func ELFWith(s ELFSpec, strings_ ...string) string {
	return string(ELF(s)) + "\x00" + strings.Join(strings_, "\x00") + "\x00"
}

// Places in the images of GlibcLayer, MuslLayer and CleanLayer.
const (
	GlibcLoader = "/lib64/ld-linux-x86-64.so.2"
	MuslLoader  = "/lib/ld-musl-x86_64.so.1"
	DebianLib   = "/usr/lib/x86_64-linux-gnu/"
	SitePath    = "/opt/venv/lib/python3.11/site-packages/"
)

// Library is a crafted ELF file at a path.
func Library(path string, s ELFSpec) Entry { return File(path, string(ELF(s))) }

// Executable is a program for glibc.
func Executable(path string, s ELFSpec) Entry {
	if s.Interpreter == "" {
		s.Interpreter = GlibcLoader
	}
	return Program(path, string(ELF(s)))
}

// GlibcLayer has the parts of a glibc as Debian places them.
func GlibcLayer(more ...Entry) []Entry {
	return append([]Entry{
		Program(GlibcLoader, string(ELF(ELFSpec{Soname: "ld-linux-x86-64.so.2"}))),
		Library(DebianLib+"libc.so.6", ELFSpec{Soname: "libc.so.6"}),
	}, more...)
}

// MuslLayer is musl and more.
func MuslLayer(more ...Entry) []Entry {
	return append([]Entry{Program(MuslLoader, string(ELF(ELFSpec{Soname: "libc.musl-x86_64.so.1"})))}, more...)
}
