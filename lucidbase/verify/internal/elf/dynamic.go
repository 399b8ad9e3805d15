package elf

import (
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/lucid-project/base-images/lucidbase/verify/internal/printable"
)

// program reads the segments of a program or library.
func (e *reader) program(segments []segment) error {
	var dynamic, stack *segment
	e.Align = math.MaxUint64
	var cut error
	for i := range segments {
		s := &segments[i]
		if s.length > uint64(e.size) || s.offset > uint64(e.size)-s.length {
			if elf.ProgType(s.kind) == elf.PT_LOAD && cut == nil {
				cut = fmt.Errorf("cut off: a segment ends at %d, the file has %d bytes", s.offset+s.length, e.size)
			}
		}
		switch elf.ProgType(s.kind) {
		case elf.PT_LOAD:
			e.loads = append(e.loads, *s)
			e.WritableCode = e.WritableCode || elf.ProgFlag(s.flags)&(elf.PF_W|elf.PF_X) == elf.PF_W|elf.PF_X
			e.Align = min(e.Align, max(s.align, 1)) // 0 means 1
		case elf.PT_DYNAMIC:
			dynamic = s
		case elf.PT_GNU_STACK:
			stack = s
		case elf.PT_INTERP:
			var err error
			if e.Interpreter, err = e.text(s.offset, min(s.length, maxString)); err != nil {
				return errors.Join(cut, fmt.Errorf("its interpreter's name: %w", err))
			}
		}
	}
	if len(e.loads) == 0 {
		e.Align = 0
		return errors.New("no LOAD segment, so nothing can load it")
	}
	var pie bool
	var err error
	if dynamic != nil {
		pie, err = e.dynamic(*dynamic)
	}
	e.Executable = e.Type == "exec" || e.Interpreter != "" || pie
	e.ExecStack = e.execStack(stack, dynamic != nil)
	if cut != nil {
		return cut // the reason of the other one
	}
	return err
}

// execStack reports whether the stack becomes executable. Without a PT_GNU_STACK a
// 64-bit kernel leaves it as it is (since Linux 5.8, elf_read_implies_exec), but
// glibc's loader makes it executable for such a library, and for a program that
// it loads (_dl_map_object_from_fd, DEFAULT_STACK_PERMS).
func (e *reader) execStack(stack *segment, dynamic bool) bool {
	if stack != nil {
		return elf.ProgFlag(stack.flags)&elf.PF_X != 0
	}
	byLoader := e.Interpreter != "" || !e.Executable
	return dynamic && byLoader && !strings.Contains(e.Interpreter, "ld-musl")
}

// dynamic reads the dynamic section; pie is whether it says that this is a
// position-independent program.
func (e *reader) dynamic(s segment) (pie bool, err error) {
	entry := pick(e.wide, 16, 8)
	table, err := e.at(s.offset, int(min(s.length, maxDynamic*uint64(entry)))/entry*entry)
	if err != nil {
		return false, fmt.Errorf("its dynamic section at %d: %w", s.offset, err)
	}
	values := map[elf.DynTag]uint64{}
	var names []elf.DynTag
	var offsets []uint64
	for ; len(table) > 0; table = table[entry:] {
		tag, value := e.pair(table)
		if tag == elf.DT_NULL {
			break
		}
		switch tag {
		case elf.DT_NEEDED, elf.DT_SONAME, elf.DT_RPATH, elf.DT_RUNPATH:
			names, offsets = append(names, tag), append(offsets, value)
		}
		values[tag] = value
	}
	pie = elf.DynFlag1(values[elf.DT_FLAGS_1])&elf.DF_1_PIE != 0
	strtab, err := e.offset(values[elf.DT_STRTAB])
	if err != nil {
		if len(names) == 0 {
			err = nil // a static program needs no string table
		}
		return pie, err
	}
	strings := stringTable{e, strtab, values[elf.DT_STRSZ]}
	if err := e.names(names, offsets, strings); err != nil {
		return pie, err
	}
	return pie, errors.Join(e.needs(values, strings), e.provides(values, strings))
}

func (e *reader) pair(p []byte) (elf.DynTag, uint64) {
	if e.wide {
		return elf.DynTag(e.order.Uint64(p)), e.order.Uint64(p[8:])
	}
	return elf.DynTag(e.order.Uint32(p)), uint64(e.order.Uint32(p[4:]))
}

func (e *reader) names(tags []elf.DynTag, offsets []uint64, table stringTable) error {
	for i, tag := range tags {
		name, err := table.at(offsets[i])
		if err != nil {
			return fmt.Errorf("its %s: %w", tag, err)
		}
		switch tag {
		case elf.DT_NEEDED:
			if len(e.Needed) >= maxNeeded {
				return fmt.Errorf("needs more than %d libraries", maxNeeded)
			}
			e.Needed = append(e.Needed, name)
		case elf.DT_SONAME:
			e.Soname = name
		case elf.DT_RPATH:
			e.RPath = strings.Split(name, ":")
		case elf.DT_RUNPATH:
			e.RunPath = strings.Split(name, ":")
		}
	}
	return nil
}

// offset returns the place in the file of an address in memory.
func (e *reader) offset(addr uint64) (uint64, error) {
	for _, s := range e.loads {
		if addr >= s.addr && addr-s.addr < s.length {
			return s.offset + (addr - s.addr), nil
		}
	}
	return 0, fmt.Errorf("address %#x in no segment", addr)
}

// text reads a string that ends with NUL or after n bytes.
func (e *reader) text(offset, n uint64) (string, error) {
	if offset >= uint64(e.size) {
		return "", fmt.Errorf("at %d, the file has %d bytes", offset, e.size)
	}
	p, err := e.at(offset, int(min(n, uint64(e.size)-offset)))
	if err != nil {
		return "", err
	}
	p, _, _ = bytes.Cut(p, []byte("\x00"))
	return printable.Valid(string(p)), nil
}

// stringTable is DT_STRTAB.
type stringTable struct {
	e            *reader
	offset, size uint64
}

func (t stringTable) at(i uint64) (string, error) {
	if i >= t.size {
		return "", fmt.Errorf("string %d of a table of %d bytes", i, t.size)
	}
	return t.e.text(t.offset+i, min(t.size-i, maxString))
}
