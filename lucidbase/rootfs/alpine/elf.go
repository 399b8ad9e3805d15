package alpine

import (
	"debug/elf"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/lucid-project/base-images/lucidbase/rootfs/internal/tree"
)

// program is what the loader reads of an ELF file.
type program struct {
	loader string   // PT_INTERP
	needed []string // DT_NEEDED
	search []string // DT_RPATH and DT_RUNPATH, by directory
}

var machines = map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}

// isELF reports whether a file is one.
func isELF(c *tree.Content) bool {
	magic := make([]byte, len(elf.ELFMAG))
	_, err := io.ReadFull(c.Reader(), magic)
	return err == nil && string(magic) == elf.ELFMAG
}

// readELF returns what the loader of an architecture needs to know of a file.
func readELF(c *tree.Content, architecture string) (program, error) {
	f, err := elf.NewFile(io.NewSectionReader(c.Data, c.Start, c.Size))
	if err != nil {
		return program{}, err
	}
	defer f.Close()
	if want := machines[architecture]; f.Machine != want {
		return program{}, fmt.Errorf("is for %s, not %s", f.Machine, want)
	}
	var p program
	for _, segment := range f.Progs {
		if segment.Type != elf.PT_INTERP || segment.Filesz > 4096 {
			continue
		}
		name, err := io.ReadAll(segment.Open())
		if err != nil {
			return program{}, fmt.Errorf("reading its interpreter: %w", err)
		}
		p.loader = strings.TrimRight(string(name), "\x00")
	}
	if p.needed, err = f.DynString(elf.DT_NEEDED); err != nil {
		return program{}, fmt.Errorf("reading what it needs: %w", err)
	}
	for _, tag := range []elf.DynTag{elf.DT_RPATH, elf.DT_RUNPATH} {
		paths, err := f.DynString(tag)
		if err != nil {
			return program{}, fmt.Errorf("reading where its libraries are: %w", err)
		}
		for _, list := range paths {
			p.search = append(p.search, strings.Split(list, ":")...)
		}
	}
	return p, nil
}

// isLoaderItself reports whether musl's loader answers for a library name by
// itself (ldso/dynlink.c, load_library: the reserved names).
func isLoaderItself(name string) bool {
	rest, ok := strings.CutPrefix(name, "lib")
	if !ok {
		return false
	}
	stem, _, dotted := strings.Cut(rest, ".")
	switch stem {
	case "c", "pthread", "rt", "m", "dl", "util", "xnet":
		return dotted
	}
	return false
}

// origin replaces $ORIGIN in a search path by the directory of the file that has
// it.
func origin(dir, file string) string {
	here := "/" + path.Dir(file)
	return strings.NewReplacer("${ORIGIN}", here, "$ORIGIN", here).Replace(dir)
}
