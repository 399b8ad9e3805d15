package alpine

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase/rootfs/internal/tree"
)

// elfSpec is an ELF file made for a test: its dynamic section and no code.
type elfSpec struct {
	machine elf.Machine // x86-64 if zero
	loader  string
	needed  []string
	runpath string
}

func (s elfSpec) bytes(t testing.TB) []byte {
	t.Helper()
	if s.machine == 0 {
		s.machine = elf.EM_X86_64
	}
	names := []byte{0}
	var dynamic []elf.Dyn64
	add := func(tag elf.DynTag, value string) {
		dynamic = append(dynamic, elf.Dyn64{Tag: int64(tag), Val: uint64(len(names))})
		names = append(names, value+"\x00"...)
	}
	for _, name := range s.needed {
		add(elf.DT_NEEDED, name)
	}
	if s.runpath != "" {
		add(elf.DT_RUNPATH, s.runpath)
	}
	dynamic = append(dynamic, elf.Dyn64{})
	const header, segment, section = 64, 56, 64
	loader := append([]byte(s.loader), 0)
	at := uint64(header + segment + 3*section)
	h := elf.Header64{
		Type: uint16(elf.ET_DYN), Machine: uint16(s.machine), Version: 1, Ehsize: header,
		Phoff: header, Phentsize: segment, Phnum: 1, Shoff: header + segment, Shentsize: section, Shnum: 3, Shstrndx: 1,
	}
	copy(h.Ident[:], elf.ELFMAG+"\x02\x01\x01")
	p := elf.Prog64{Type: uint32(elf.PT_NULL), Off: at, Filesz: uint64(len(loader)), Memsz: uint64(len(loader))}
	if s.loader != "" {
		p.Type = uint32(elf.PT_INTERP)
	}
	at += uint64(len(loader))
	strings := elf.Section64{Type: uint32(elf.SHT_STRTAB), Off: at, Size: uint64(len(names))}
	at += uint64(len(names))
	table := elf.Section64{Type: uint32(elf.SHT_DYNAMIC), Off: at, Size: uint64(16 * len(dynamic)), Link: 1, Entsize: 16}
	var b bytes.Buffer
	for _, part := range []any{h, p, elf.Section64{}, strings, table, loader, names, dynamic} {
		require.NoError(t, binary.Write(&b, binary.LittleEndian, part))
	}
	return b.Bytes()
}

func TestReadELF(t *testing.T) {
	s, err := tree.NewSpool(t.Context(), t.TempDir())
	require.NoError(t, err)
	defer s.Close()
	spool := func(data []byte) *tree.Content {
		c, err := s.Add(bytes.NewReader(data), int64(len(data)))
		require.NoError(t, err)
		return c
	}
	c := spool(elfSpec{loader: "/lib/ld.so", needed: []string{"a.so", "b.so"}, runpath: "$ORIGIN/../lib:/x"}.bytes(t))
	require.True(t, isELF(c))
	got, err := readELF(c, "amd64")
	require.NoError(t, err)
	require.Equal(t, program{"/lib/ld.so", []string{"a.so", "b.so"}, []string{"$ORIGIN/../lib", "/x"}}, got)
	require.Equal(t, "/usr/bin/../lib", origin(got.search[0], "usr/bin/python"))

	_, err = readELF(c, "arm64")
	require.ErrorContains(t, err, "is for EM_X86_64, not EM_AARCH64")
	require.False(t, isELF(spool([]byte("#!/bin/sh"))))
	require.False(t, isELF(spool(nil)))
	_, err = readELF(spool([]byte(elf.ELFMAG)), "amd64")
	require.Error(t, err)
}

func TestIsLoaderItself(t *testing.T) {
	for name, want := range map[string]bool{
		"libc.musl-x86_64.so.1": true, "libc.so": true, "libm.so.6": true, "libpthread.so.0": true,
		"libcrypto.so.3": false, "libcap.so": false, "c.so": false, "libc": false,
	} {
		require.Equal(t, want, isLoaderItself(name), name)
	}
}

func FuzzReadELF(f *testing.F) {
	f.Add(elfSpec{loader: "/lib/ld.so", needed: []string{"a.so"}}.bytes(f))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := tree.NewSpool(t.Context(), t.TempDir())
		require.NoError(t, err)
		defer s.Close()
		c, err := s.Add(bytes.NewReader(data), int64(len(data)))
		require.NoError(t, err)
		if p, err := readELF(c, "amd64"); err == nil {
			require.True(t, isELF(c))
			require.LessOrEqual(t, len(p.loader), 4096)
		}
	})
}
