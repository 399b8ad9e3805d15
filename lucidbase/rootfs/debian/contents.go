package debian

import (
	"archive/tar"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/lucid-project/base-images/internal/supply"
	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/lock"
	"github.com/lucid-project/base-images/lucidbase/rootfs/internal/deb"
	"github.com/lucid-project/base-images/lucidbase/rootfs/internal/tree"
)

const python = "usr/bin/" + lock.PythonName

// headersPart matches what a source is compiled against: headers, archives,
// where pkg-config finds both, and the interpreter's own configuration. Shared
// libraries are not among them: a wheel may need none that the image lacks.
var headersPart = regexp.MustCompile(`^usr/(include/.*|lib/[^/]*-linux-gnu/(pkgconfig/.*|[^/]*\.a)|share/pkgconfig/.*|lib/` + regexp.QuoteMeta(lock.PythonName) + `/_sysconfigdata_[^/]*\.py)$`)

// compiledAgainst reports whether the layer of headers has a file. Python's own
// archive is for programs that hold an interpreter.
func compiledAgainst(name string) bool {
	return headersPart.MatchString(name) && path.Base(name) != "lib"+lock.PythonName+".a"
}

// assemble makes one tree from packages, whatever their order.
func assemble(kind lucidbase.InputKind, debs []deb.File) (tree.Tree, error) {
	debs = slices.SortedFunc(slices.Values(debs), func(a, b deb.File) int { return strings.Compare(a.Name, b.Name) })
	t := tree.Tree{}
	for _, d := range debs {
		for _, e := range d.Entries {
			if deb.LeftOut(e) || e.Name == deb.StaticInit {
				continue
			}
			if kind == supply.Headers {
				if !compiledAgainst(e.Name) {
					continue
				}
				// Each package by itself: a source sees those that are named for it.
				e.Name = path.Join(e.From, e.Name)
			}
			if err := t.Add(e); err != nil {
				return nil, err
			}
		}
	}
	switch kind {
	case supply.Rootfs:
		if err := finish(t, debs); err != nil {
			return nil, err
		}
	case supply.Builder:
		t.DropScripts()
	case supply.Headers:
	default:
		return nil, fmt.Errorf("unknown kind of layer %q", kind)
	}
	return t, t.CheckLinks()
}

// finish adds what no package ships: on other systems, package scripts and the
// installer make it.
func finish(t tree.Tree, debs []deb.File) error {
	bundle, err := bundle(t)
	if err != nil {
		return err
	}
	for _, e := range slices.Concat(links(t), tree.Directories(), tree.Users(), bundle) {
		if old := t[e.Name]; old != nil && old.Kind == tar.TypeDir && e.Kind == tar.TypeDir {
			delete(t, e.Name)
		}
		if err := t.Add(e); err != nil {
			return err
		}
	}
	t.DropScripts()
	for _, d := range debs {
		for _, e := range d.Status(t) {
			if err := t.Add(e); err != nil {
				return err
			}
		}
	}
	return nil
}

// links returns the links of a merged /usr and of the interpreter, as far as there
// is something that they can lead to.
func links(t tree.Tree) []*tree.Entry {
	wanted := append(slices.Clone(deb.Moved),
		deb.Link{Name: "usr/bin/python", Target: path.Base(python)},
		deb.Link{Name: "usr/bin/python3", Target: path.Base(python)},
	)
	var out []*tree.Entry
	for _, l := range wanted {
		target := l.Target
		if !path.IsAbs(target) {
			target = path.Join(path.Dir(l.Name), target)
		}
		if t.Has(target) {
			out = append(out, &tree.Entry{Name: l.Name, From: tree.Us, Kind: tar.TypeSymlink, Mode: 0o777, Target: l.Target})
		}
	}
	return out
}
