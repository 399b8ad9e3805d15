package verify

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// works is what the rules of the group Works find out about an image once.
type works struct {
	loading *loading
	sites   *sites
	records *records
	// pythonsIn are the interpreters by directory.
	pythonsIn map[*node][]string
	// packaged are the versions of Python by the package that brings it.
	packaged map[string]string
	// imported are the directories that the config adds to sys.path.
	imported map[string]bool
	// libc is loaderLibc's.
	libc string
}

// several is how many findings of one kind a rule makes before it sums them up:
// what went wrong with a whole tree is one fault.
const several = 10

// fixJudged is for what a rule gives up to look at.
const fixJudged = "split the image, or leave out what it does not need: no real one has so many"

// sumUp makes one finding of many of one kind and layer, at the directory that
// holds all of the files.
func sumUp(kinds []string, byKind map[string][]hit, found func(kind string, files int, example string) string) []hit {
	var hits []hit
	for _, kind := range kinds {
		of := byKind[kind]
		if len(of) <= several {
			hits = append(hits, of...)
			continue
		}
		slices.SortFunc(of, func(a, b hit) int { return strings.Compare(a.path, b.path) })
		dir := path.Dir(of[0].path)
		for last := of[len(of)-1].path; dir != "/" && !strings.HasPrefix(last, dir+"/"); {
			dir = path.Dir(dir)
		}
		hits = append(hits, hit{path: dir, layer: of[0].layer, found: found(kind, len(of), of[0].path), fix: of[0].fix})
	}
	return hits
}

// lookup is follow for a place with many files below it: where no link is in the
// way it allocates nothing.
func (im *image) lookup(p string) *node {
	n := im.root
	for rest := p; ; {
		rest = strings.TrimLeft(rest, "/")
		if rest == "" {
			return n
		}
		var name string
		name, rest, _ = strings.Cut(rest, "/")
		if n = n.children[name]; n == nil {
			return nil
		}
		if n.entry != nil && n.entry.Kind == Symlink || name == ".." {
			_, n = im.follow(p)
			return n
		}
	}
}

// regular gives the file that a path leads to; nil for what is no file.
func (im *image) regular(p string) *entry {
	n := im.lookup(p)
	if n == nil || n.entry == nil || n.entry.content().Kind != Regular {
		return nil
	}
	return n.entry
}

// machines are the architectures of platforms as ELF.Machine has them.
var machines = map[string]string{
	"amd64": "amd64", "arm64": "arm64", "386": "EM_386", "arm": "EM_ARM 32-bit", "ppc64le": "EM_PPC64",
	"s390x": "EM_S390 big-endian", "riscv64": "EM_RISCV", "loong64": "EM_LOONGARCH", "mips64le": "EM_MIPS",
}

// loadable calls f for each program and library that a container sees, of
// whatever machine.
func (im *image) loadable(f func(*entry, *ELF)) {
	im.visible(func(e *entry) {
		if e.Kind != Regular && e.Kind != Hardlink {
			return
		}
		if x := e.content().ELF; x != nil && (x.Type == "exec" || x.Type == "dyn") {
			f(e, x)
		}
	})
}

// native calls f for those that the image's CPU can run.
func (im *image) native(f func(*entry, *ELF)) {
	machine := machines[im.config.Architecture]
	im.loadable(func(e *entry, x *ELF) {
		if x.Machine == machine {
			f(e, x)
		}
	})
}

func about(count int, noun string) string {
	if count == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", count, noun)
}
