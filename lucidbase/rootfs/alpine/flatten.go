package alpine

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/lucid-project/base-images/lucidbase/rootfs/internal/tree"
)

// Bounds on what an image may unpack to. The official Python images have a tenth
// of both.
const (
	maxImageBytes = 1 << 30
	maxImageFiles = 100_000
)

// Whiteouts, as layers have them (OCI image spec, "Layer Filesystem Changeset").
const (
	whiteout = ".wh."
	opaque   = ".wh..wh..opq"
)

// flat is an image's file system as it comes out of its layers.
type flat struct {
	tree.Tree
	from  string // the image's name, for errors
	spool *tree.Spool
	bytes int64
	files int
}

// hidden are the paths of lower layers that a layer removes: of each, what it is
// and all below it, or what is below it alone.
type hidden struct{ all, below map[string]bool }

// apply adds the layer that is next from the lowest.
func (f *flat) apply(layer *tar.Reader) error {
	gone := hidden{all: map[string]bool{}, below: map[string]bool{}}
	var own []*imageEntry
	for {
		h, err := layer.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		e, err := f.read(h, layer, gone)
		if err != nil {
			return fmt.Errorf("entry %s: %w", h.Name, err)
		}
		if e != nil {
			own = append(own, e)
		}
	}
	f.remove(gone)
	for _, e := range own {
		if err := f.place(e); err != nil {
			return fmt.Errorf("entry %s: %w", e.Name, err)
		}
	}
	return nil
}

// imageEntry is an entry of a layer before it has its place.
type imageEntry struct {
	tree.Entry
	linked string // the file that a hard link names
}

// read returns the entry of a header, or notes what it hides. Device nodes and
// pipes are left out: no interpreter needs one.
func (f *flat) read(h *tar.Header, content io.Reader, gone hidden) (*imageEntry, error) {
	if f.files++; f.files > maxImageFiles {
		return nil, fmt.Errorf("more than %d entries", maxImageFiles)
	}
	if base := path.Base(h.Name); strings.HasPrefix(base, whiteout) {
		return nil, f.hide(path.Dir(h.Name), base, gone)
	}
	name, err := tree.CleanName(h.Name)
	if err != nil || name == "" {
		return nil, err
	}
	e := &imageEntry{Entry: tree.Entry{Name: name, From: f.from, Kind: h.Typeflag, Mode: h.Mode & 0o7777, UID: h.Uid, GID: h.Gid}}
	switch h.Typeflag {
	case tar.TypeDir:
		e.Mode = tree.DirMode(name, e.Mode)
	case tar.TypeSymlink:
		e.Target, e.Mode = h.Linkname, 0o777
	case tar.TypeLink:
		e.Kind = tar.TypeReg
		e.linked, err = tree.CleanName(h.Linkname)
	case tar.TypeReg:
		if f.bytes += h.Size; f.bytes > maxImageBytes {
			return nil, fmt.Errorf("the image unpacks to more than %d bytes", maxImageBytes)
		}
		e.Content, err = f.spool.Add(content, h.Size)
	case tar.TypeChar, tar.TypeBlock, tar.TypeFifo:
		return nil, nil
	default:
		return nil, fmt.Errorf("is of unknown type %q", h.Typeflag)
	}
	return e, err
}

func (f *flat) hide(dir, base string, gone hidden) error {
	dir, err := tree.CleanName(dir)
	if err != nil {
		return err
	}
	if dir, err = f.Real(dir); err != nil {
		return err
	}
	name := strings.TrimPrefix(base, whiteout)
	switch {
	case base == opaque:
		gone.below[dir] = true
	case name == "" || name == "." || name == "..":
		return errors.New("hides no file")
	case strings.HasPrefix(name, whiteout): // a storage driver's own, such as .wh..wh.plnk
	default:
		gone.all[path.Join(dir, name)] = true
	}
	return nil
}

func (f *flat) remove(gone hidden) {
	if len(gone.all)+len(gone.below) == 0 {
		return
	}
	for name := range f.Tree {
		hide := gone.all[name] || gone.below[""]
		for dir := path.Dir(name); dir != "." && !hide; dir = path.Dir(dir) {
			hide = gone.all[dir] || gone.below[dir]
		}
		if hide {
			delete(f.Tree, name)
		}
	}
}

// place puts an entry where a runtime would: through the links on the way to it,
// and instead of what was there.
func (f *flat) place(e *imageEntry) error {
	dir, err := f.Real(tree.Parent(e.Name))
	if err != nil {
		return err
	}
	e.Name = path.Join(dir, path.Base(e.Name))
	if e.Kind == tar.TypeReg && e.Content == nil {
		if err := f.link(e); err != nil {
			return err
		}
	}
	if old := f.Tree[e.Name]; old != nil {
		if old.Kind == tar.TypeDir && e.Kind != tar.TypeDir {
			f.remove(hidden{all: map[string]bool{e.Name: true}})
		}
		delete(f.Tree, e.Name)
	}
	return f.Add(&e.Entry)
}

func (f *flat) link(e *imageEntry) error {
	dir, err := f.Real(tree.Parent(e.linked))
	if err != nil {
		return fmt.Errorf("hard link to %s: %w", e.linked, err)
	}
	target := f.Tree[path.Join(dir, path.Base(e.linked))]
	if target == nil || target.Kind != tar.TypeReg {
		return fmt.Errorf("hard link to %s, which is no file before it", e.linked)
	}
	e.Content, e.Mode, e.UID, e.GID = target.Content, target.Mode, target.UID, target.GID
	return nil
}
