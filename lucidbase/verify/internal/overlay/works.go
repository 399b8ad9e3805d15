package overlay

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/lucid-project/base-images/lucidbase/verify/internal/elf"
	"github.com/lucid-project/base-images/lucidbase/verify/internal/scan"
)

// works is what the rules of the group Works find out about an image once.
type works struct {
	loading *Loading
	sites   *Sites
	records *Records
	// pythonsIn are the interpreters by directory.
	pythonsIn map[*Node][]string
	// packaged are the versions of Python by the package that brings it.
	packaged map[string]string
	// imported are the directories that the config adds to sys.path.
	imported map[string]bool
	// libc is loaderLibc's.
	libc string
}

// Several is how many findings of one kind a rule makes before it sums them up:
// what went wrong with a whole tree is one fault.
const Several = 10

// FixJudged is the remedy for what a rule does not look at any more.
const FixJudged = "split the image, or leave out what it does not need: no real one has so many"

// SumUp makes one finding of many of one kind and layer, at the directory that
// holds all of the files.
func SumUp(kinds []string, byKind map[string][]Hit, found func(kind string, files int, example string) string) []Hit {
	var hits []Hit
	for _, kind := range kinds {
		of := byKind[kind]
		if len(of) <= Several {
			hits = append(hits, of...)
			continue
		}
		slices.SortFunc(of, func(a, b Hit) int { return strings.Compare(a.Path, b.Path) })
		dir := path.Dir(of[0].Path)
		for last := of[len(of)-1].Path; dir != "/" && !strings.HasPrefix(last, dir+"/"); {
			dir = path.Dir(dir)
		}
		hits = append(hits, Hit{Path: dir, Layer: of[0].Layer, Found: found(kind, len(of), of[0].Path), Fix: of[0].Fix})
	}
	return hits
}

// Lookup is follow for a place with many files below it: where no link is in the
// way it allocates nothing.
func (im *Image) Lookup(p string) *Node {
	n := im.Root
	for rest := p; ; {
		rest = strings.TrimLeft(rest, "/")
		if rest == "" {
			return n
		}
		var name string
		name, rest, _ = strings.Cut(rest, "/")
		if n = n.Children[name]; n == nil {
			return nil
		}
		if n.Entry != nil && n.Entry.Kind == scan.Symlink || name == ".." {
			_, n = im.Follow(p)
			return n
		}
	}
}

// Regular returns the file that a path leads to; nil for what is no file.
func (im *Image) Regular(p string) *Entry {
	n := im.Lookup(p)
	if n == nil || n.Entry == nil || n.Entry.Content().Kind != scan.Regular {
		return nil
	}
	return n.Entry
}

// Machines are the architectures of platforms as ELF.Machine has them.
var Machines = map[string]string{
	"amd64": "amd64", "arm64": "arm64", "386": "EM_386", "arm": "EM_ARM 32-bit", "ppc64le": "EM_PPC64",
	"s390x": "EM_S390 big-endian", "riscv64": "EM_RISCV", "loong64": "EM_LOONGARCH", "mips64le": "EM_MIPS",
}

// Loadable calls f for each program and library that a container sees, of
// whatever machine.
func (im *Image) Loadable(f func(*Entry, *elf.File)) {
	im.Visible(func(e *Entry) {
		if e.Kind != scan.Regular && e.Kind != scan.Hardlink {
			return
		}
		if x := e.Content().ELF; x != nil && (x.Type == "exec" || x.Type == "dyn") {
			f(e, x)
		}
	})
}

// Native calls f for those that the image's CPU can run.
func (im *Image) Native(f func(*Entry, *elf.File)) {
	machine := Machines[im.Config.Architecture]
	im.Loadable(func(e *Entry, x *elf.File) {
		if x.Machine == machine {
			f(e, x)
		}
	})
}

// Number returns a count with its noun: "1 file", "3 files".
func Number(count int, noun string) string {
	if count == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", count, noun)
}
