// Package elf reads what a dynamic loader reads of a program or a library.
package elf

import (
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Magic is what an ELF file starts with.
const Magic = elf.ELFMAG

// What is read of an ELF file at most; real ones stay far below.
const (
	maxDynamic = 1 << 16 // entries of the dynamic section
	maxNeeded  = 1 << 12
	maxVersion = 1 << 14 // symbol versions, needed or defined
	maxString  = 4096
)

// reader reads an ELF file as a loader does: by its program headers. Sections
// are for linkers, and strip may take them away.
type reader struct {
	io.ReaderAt
	size  int64
	order binary.ByteOrder
	wide  bool // 64-bit
	loads []segment
	*File
}

type segment struct {
	kind, flags                  uint32
	offset, addr, length, memory uint64
	align                        uint64
}

// Parse returns what could be read also when it ends with an error.
func Parse(r io.ReaderAt, size int64) (*File, error) {
	e := &reader{ReaderAt: r, size: size, File: &File{}}
	segments, err := e.header()
	if err != nil {
		return e.File, err
	}
	switch e.Type {
	case "exec", "dyn":
		return e.File, e.program(segments)
	}
	return e.File, nil // never run or loaded
}

// header reads the file's header and returns its program headers.
func (e *reader) header() ([]segment, error) {
	ident, err := e.at(0, elf.EI_NIDENT)
	if err != nil {
		return nil, errors.New("its header is cut off")
	}
	switch elf.Data(ident[elf.EI_DATA]) {
	case elf.ELFDATA2LSB:
		e.order = binary.LittleEndian
	case elf.ELFDATA2MSB:
		e.order = binary.BigEndian
	default:
		return nil, fmt.Errorf("byte order %d", ident[elf.EI_DATA])
	}
	switch elf.Class(ident[elf.EI_CLASS]) {
	case elf.ELFCLASS64:
		e.wide = true
	case elf.ELFCLASS32:
	default:
		return nil, fmt.Errorf("class %d", ident[elf.EI_CLASS])
	}
	h, err := e.at(0, pick(e.wide, 64, 52))
	if err != nil {
		return nil, errors.New("its header is cut off")
	}
	e.Machine = e.machine(elf.Machine(e.order.Uint16(h[18:])))
	e.Type = fileType(elf.Type(e.order.Uint16(h[16:])))
	phoff, shoff, counts := uint64(0), uint64(0), h[pick(e.wide, 54, 42):]
	if e.wide {
		phoff, shoff = e.order.Uint64(h[32:]), e.order.Uint64(h[40:])
	} else {
		phoff, shoff = uint64(e.order.Uint32(h[28:])), uint64(e.order.Uint32(h[32:]))
	}
	if e.debug(shoff, e.order.Uint16(counts[4:]), e.order.Uint16(counts[6:])) {
		e.Type = "debug"
	}
	if e.Type != "exec" && e.Type != "dyn" {
		return nil, nil
	}
	return e.segments(phoff, e.order.Uint16(counts), e.order.Uint16(counts[2:]))
}

func (e *reader) machine(m elf.Machine) string {
	name := m.String() // also "EM_LAST+3" of an unknown one
	switch {
	case m == elf.EM_X86_64 && e.wide && e.order == binary.LittleEndian:
		return "amd64"
	case m == elf.EM_AARCH64 && e.wide && e.order == binary.LittleEndian:
		return "arm64"
	case strings.Contains(name, "+") || !strings.HasPrefix(name, "EM_"):
		name = "EM_" + strconv.Itoa(int(m))
	}
	// The usual form of a machine goes without saying.
	if !e.wide && m != elf.EM_386 || e.wide && m == elf.EM_386 {
		name += pick(e.wide, " 64-bit", " 32-bit")
	}
	if e.order == binary.BigEndian {
		name += " big-endian"
	}
	return name
}

func fileType(t elf.Type) string {
	switch t {
	case elf.ET_EXEC:
		return "exec"
	case elf.ET_DYN:
		return "dyn"
	case elf.ET_REL:
		return "rel"
	case elf.ET_CORE:
		return "core"
	}
	return strconv.Itoa(int(t))
}

// debug reports whether a file was split off another with its debugging information
// (objcopy --only-keep-debug): its code has a place, but no bytes.
func (e *reader) debug(offset uint64, size, count uint16) bool {
	if offset == 0 || int(size) != pick(e.wide, 64, 40) {
		return false
	}
	table, err := e.at(offset, int(size)*int(count))
	if err != nil {
		return false
	}
	for ; len(table) > 0; table = table[size:] {
		kind, flags := e.order.Uint32(table[4:]), uint64(e.order.Uint32(table[8:]))
		if e.wide {
			flags = e.order.Uint64(table[8:])
		}
		if kind == uint32(elf.SHT_NOBITS) && flags&uint64(elf.SHF_EXECINSTR) != 0 {
			return true
		}
	}
	return false
}

// segments reads the program headers.
func (e *reader) segments(offset uint64, size, count uint16) ([]segment, error) {
	if count == 0 {
		return nil, errors.New("no program headers, so nothing can load it")
	}
	if int(size) != pick(e.wide, 56, 32) {
		return nil, fmt.Errorf("program headers of %d bytes", size)
	}
	table, err := e.at(offset, int(size)*int(count))
	if err != nil {
		return nil, fmt.Errorf("its %d program headers at %d: %w", count, offset, err)
	}
	segments := make([]segment, count)
	for i := range segments {
		h := table[i*int(size):]
		s := segment{kind: e.order.Uint32(h)}
		if e.wide {
			s.flags, s.offset, s.addr = e.order.Uint32(h[4:]), e.order.Uint64(h[8:]), e.order.Uint64(h[16:])
			s.length, s.memory, s.align = e.order.Uint64(h[32:]), e.order.Uint64(h[40:]), e.order.Uint64(h[48:])
		} else {
			word := func(at int) uint64 { return uint64(e.order.Uint32(h[at:])) }
			s.offset, s.addr, s.length, s.memory = word(4), word(8), word(16), word(20)
			s.flags, s.align = e.order.Uint32(h[24:]), word(28)
		}
		segments[i] = s
	}
	return segments, nil
}

// at reads n bytes, all of which must be in the file.
func (e *reader) at(offset uint64, n int) ([]byte, error) {
	if n < 0 || offset > uint64(e.size) || uint64(n) > uint64(e.size)-offset {
		return nil, fmt.Errorf("outside the file, which has %d bytes", e.size)
	}
	p := make([]byte, n)
	if m, err := e.ReadAt(p, int64(offset)); m < n {
		return nil, err
	}
	return p, nil
}

func pick[T any](cond bool, a, b T) T {
	if cond {
		return a
	}
	return b
}
