package rootfs

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
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
	tree
	from  string // the image's name, for errors
	spool *spool
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
			return fmt.Errorf("entry %s: %w", e.name, err)
		}
	}
	return nil
}

// imageEntry is an entry of a layer before it has its place.
type imageEntry struct {
	entry
	linked string // the file that a hard link names
}

// read gives the entry of a header, or notes what it hides. Device nodes and
// pipes are left out: no interpreter needs one.
func (f *flat) read(h *tar.Header, content io.Reader, gone hidden) (*imageEntry, error) {
	if f.files++; f.files > maxImageFiles {
		return nil, fmt.Errorf("more than %d entries", maxImageFiles)
	}
	if base := path.Base(h.Name); strings.HasPrefix(base, whiteout) {
		return nil, f.hide(path.Dir(h.Name), base, gone)
	}
	name, err := cleanName(h.Name)
	if err != nil || name == "" {
		return nil, err
	}
	e := &imageEntry{entry: entry{name: name, from: f.from, kind: h.Typeflag, mode: h.Mode & 0o7777, uid: h.Uid, gid: h.Gid}}
	switch h.Typeflag {
	case tar.TypeDir:
		e.mode = dirMode(name, e.mode)
	case tar.TypeSymlink:
		e.target, e.mode = h.Linkname, 0o777
	case tar.TypeLink:
		e.kind = tar.TypeReg
		e.linked, err = cleanName(h.Linkname)
	case tar.TypeReg:
		if f.bytes += h.Size; f.bytes > maxImageBytes {
			return nil, fmt.Errorf("the image unpacks to more than %d bytes", maxImageBytes)
		}
		e.content, err = f.spool.add(content, h.Size)
	case tar.TypeChar, tar.TypeBlock, tar.TypeFifo:
		return nil, nil
	default:
		return nil, fmt.Errorf("is of unknown type %q", h.Typeflag)
	}
	return e, err
}

func (f *flat) hide(dir, base string, gone hidden) error {
	dir, err := cleanName(dir)
	if err != nil {
		return err
	}
	if dir, err = f.real(dir); err != nil {
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
	for name := range f.tree {
		hide := gone.all[name] || gone.below[""]
		for dir := path.Dir(name); dir != "." && !hide; dir = path.Dir(dir) {
			hide = gone.all[dir] || gone.below[dir]
		}
		if hide {
			delete(f.tree, name)
		}
	}
}

// place puts an entry where a runtime would: through the links on the way to it,
// and instead of what was there.
func (f *flat) place(e *imageEntry) error {
	dir, err := f.real(parent(e.name))
	if err != nil {
		return err
	}
	e.name = path.Join(dir, path.Base(e.name))
	if e.kind == tar.TypeReg && e.content == nil {
		if err := f.link(e); err != nil {
			return err
		}
	}
	if old := f.tree[e.name]; old != nil {
		if old.kind == tar.TypeDir && e.kind != tar.TypeDir {
			f.remove(hidden{all: map[string]bool{e.name: true}})
		}
		delete(f.tree, e.name)
	}
	return f.add(&e.entry)
}

func (f *flat) link(e *imageEntry) error {
	dir, err := f.real(parent(e.linked))
	if err != nil {
		return fmt.Errorf("hard link to %s: %w", e.linked, err)
	}
	target := f.tree[path.Join(dir, path.Base(e.linked))]
	if target == nil || target.kind != tar.TypeReg {
		return fmt.Errorf("hard link to %s, which is no file before it", e.linked)
	}
	e.content, e.mode, e.uid, e.gid = target.content, target.mode, target.uid, target.gid
	return nil
}

// parent is path.Dir for names relative to the root, which is "".
func parent(name string) string {
	if dir := path.Dir(name); dir != "." {
		return dir
	}
	return ""
}
