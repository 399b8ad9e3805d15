package elf

import (
	"debug/elf"
	"fmt"

	"github.com/lucid-project/base-images/lucidbase/verify/internal/printable"
)

// needs reads the symbol versions that the file needs of each library
// (DT_VERNEED; Elf64_Verneed and Elf64_Vernaux have the same form in both
// classes). The loader does without weak ones.
func (e *reader) needs(values map[elf.DynTag]uint64, strings stringTable) error {
	addr, ok := values[elf.DT_VERNEED]
	if !ok {
		return nil
	}
	at, err := e.offset(addr)
	if err != nil {
		return fmt.Errorf("its needed versions: %w", err)
	}
	for range min(values[elf.DT_VERNEEDNUM], maxVersion) {
		h, err := e.at(at, 16)
		if err != nil {
			return fmt.Errorf("its needed versions: %w", err)
		}
		library, err := strings.at(uint64(e.order.Uint32(h[4:])))
		if err != nil {
			return fmt.Errorf("its needed versions: %w", err)
		}
		if err := e.versionsOf(library, at+uint64(e.order.Uint32(h[8:])), e.order.Uint16(h[2:]), strings); err != nil {
			return fmt.Errorf("its needed versions of %s: %w", printable.Quote(library), err)
		}
		next := e.order.Uint32(h[12:])
		if next == 0 {
			break
		}
		at += uint64(next)
	}
	return nil
}

func (e *reader) versionsOf(library string, at uint64, count uint16, strings stringTable) error {
	const weak = 2 // VER_FLG_WEAK
	for range count {
		aux, err := e.at(at, 16)
		if err != nil {
			return err
		}
		version, err := strings.at(uint64(e.order.Uint32(aux[8:])))
		if err != nil {
			return err
		}
		if len(e.Requires) >= maxVersion {
			return fmt.Errorf("more than %d", maxVersion)
		}
		if e.order.Uint16(aux[4:])&weak == 0 {
			e.Requires = append(e.Requires, SymbolVersion{library, version})
		}
		next := e.order.Uint32(aux[12:])
		if next == 0 {
			break
		}
		at += uint64(next)
	}
	return nil
}

// provides reads the symbol versions that the file defines (DT_VERDEF). The first
// is the file's own name.
func (e *reader) provides(values map[elf.DynTag]uint64, strings stringTable) error {
	const base = 1 // VER_FLG_BASE
	addr, ok := values[elf.DT_VERDEF]
	if !ok {
		return nil
	}
	at, err := e.offset(addr)
	for range min(values[elf.DT_VERDEFNUM], maxVersion) {
		if err != nil {
			break
		}
		var h, aux []byte
		if h, err = e.at(at, 20); err != nil {
			break
		}
		if e.order.Uint16(h[2:])&base == 0 {
			// The first Verdaux is the version, the others its parents.
			if aux, err = e.at(at+uint64(e.order.Uint32(h[12:])), 8); err != nil {
				break
			}
			var version string
			if version, err = strings.at(uint64(e.order.Uint32(aux))); err != nil {
				break
			}
			e.Provides = append(e.Provides, version)
		}
		next := e.order.Uint32(h[16:])
		if next == 0 {
			return nil
		}
		at += uint64(next)
	}
	if err != nil {
		return fmt.Errorf("its versions: %w", err)
	}
	return nil
}
