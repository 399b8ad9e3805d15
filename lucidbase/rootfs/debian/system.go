package debian

import (
	"context"
	_ "embed"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/lock"
	"github.com/lucid-project/base-images/lucidbase/rootfs/internal/deb"
	"github.com/lucid-project/base-images/lucidbase/rootfs/internal/tree"
)

// PackageError is what is wrong with a package, whose file is not what it should be or
// cannot be added to a base.
type PackageError = tree.PackageError

// Addition is a layer that is put on a base's.
type Addition struct {
	lock.Layer
	// Owners maps each file, by its absolute path, to its package.
	Owners map[string]string
	// Dropped says of each file that is left out why that is: a program whose interpreter
	// is in no image, and what is in LeftOut.
	Dropped map[string]string
}

// Add makes the layer of the packages that a service has besides a base's, as Layer
// does, and compares it with the base: what would replace one of its files is an error.
func (a *Archives) Add(ctx context.Context, in, base lucidbase.Input, w io.Writer) (Addition, error) {
	out, err := a.add(ctx, in, base, w)
	if err != nil {
		return Addition{}, fmt.Errorf("adding packages for %s: %w", lucidbase.FormatPlatform(in.Platform), err)
	}
	return out, nil
}

func (a *Archives) add(ctx context.Context, in, base lucidbase.Input, w io.Writer) (Addition, error) {
	s, err := tree.NewSpool(ctx, a.Cache)
	if err != nil {
		return Addition{}, err
	}
	defer s.Close()
	below, err := a.tree(ctx, base, s)
	if err != nil {
		return Addition{}, err
	}
	debs, err := a.unpack(ctx, in, s)
	if err != nil {
		return Addition{}, err
	}
	t, dropped, err := assemble(in.Kind, debs, nil)
	if err != nil {
		return Addition{}, err
	}
	if err := t.CheckOn(below); err != nil {
		return Addition{}, err
	}
	out := Addition{Owners: map[string]string{}, Dropped: map[string]string{}}
	for found := useless(t, below); len(found) > 0; found = useless(t, below) {
		for name := range found {
			out.Owners[name] = t[name[1:]].From
		}
		maps.Copy(out.Dropped, found)
		in.Layer.LeftOut = slices.Sorted(maps.Keys(out.Dropped))
		if t, dropped, err = assemble(in.Kind, debs, in.Layer.LeftOut); err != nil {
			return Addition{}, err
		}
	}
	out.Layer = in.Layer
	for name, e := range t {
		out.Owners["/"+name] = e.From
	}
	for _, e := range dropped {
		out.Owners["/"+e.Name], out.Dropped["/"+e.Name] = e.From, "there is no "+e.Content.Interpreter()+" in an image"
	}
	out.Digest, out.Size, err = t.Write(w)
	return out, err
}

//go:embed ldconfig.py
var ldconfig string

// finishSystem adds what packages' scripts and the installer make on other systems.
func finishSystem(t tree.Tree, debs []deb.File) ([]*tree.Entry, error) {
	if err := addAlternatives(t); err != nil {
		return nil, err
	}
	dropped := t.DropScripts("/"+python, "/usr/bin/python3", "/usr/bin/python", "/bin/python3", "/bin/python")
	own := tree.File("usr/sbin/ldconfig", ldconfig)
	own.Mode = 0o755
	if err := t.Add(own); err != nil {
		return nil, err
	}
	return dropped, addStatus(t, debs)
}
