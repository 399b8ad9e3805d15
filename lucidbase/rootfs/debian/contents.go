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

// assemble makes one tree from packages, whatever their order, and returns the scripts
// that are left out, besides the files that are to be.
func assemble(kind lucidbase.InputKind, debs []deb.File, leftOut []string) (t tree.Tree, dropped []*tree.Entry, err error) {
	debs = slices.SortedFunc(slices.Values(debs), func(a, b deb.File) int { return strings.Compare(a.Name, b.Name) })
	t = tree.Tree{}
	for _, d := range debs {
		for _, e := range d.Entries {
			if deb.LeftOut(e) || e.Name == deb.StaticInit || kind == supply.System && below(e.Name, "usr/include") {
				continue
			}
			if kind == supply.Headers {
				if !compiledAgainst(e.Name) {
					continue
				}
				// Each package by itself: a source sees those that are named for it.
				e.Name = path.Join(e.From, e.Name)
			}
			anyDir := kind == supply.Peer || kind == supply.System
			if old := t[e.Name]; anyDir && old != nil && old.Kind == tar.TypeDir && e.Kind == tar.TypeDir {
				continue // as dpkg does: the first package's
			}
			if err := t.Add(e); err != nil {
				return nil, nil, err
			}
		}
	}
	switch kind {
	case supply.Peer:
		return t, nil, finishPeer(t, debs) // a link may lead to what a package's script would have made
	case supply.Rootfs:
		if err := finish(t); err != nil {
			return nil, nil, err
		}
		t.DropScripts()
		if err := addStatus(t, debs); err != nil {
			return nil, nil, err
		}
	case supply.Builder:
		t.DropScripts()
	case supply.Headers:
	case supply.System:
		// Its links may lead into the base: the contract follows them.
		t.Drop(leftOut)
		dropped, err = finishSystem(t, debs)
		return t, dropped, err
	default:
		return nil, nil, fmt.Errorf("unknown kind of layer %q", kind)
	}
	return t, nil, t.CheckLinks()
}

func below(name, dir string) bool { return name == dir || strings.HasPrefix(name, dir+"/") }

// finish adds what no package ships: on other systems, package scripts and the
// installer make it.
func finish(t tree.Tree) error {
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
	return nil
}

// addStatus adds what scanners know the packages from.
func addStatus(t tree.Tree, debs []deb.File) error {
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
