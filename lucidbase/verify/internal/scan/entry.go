package scan

import (
	"archive/tar"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/lucid-project/base-images/lucidbase/verify/internal/printable"
)

// kinds are the tar's types (POSIX pax, "ustar Interchange Format").
var kinds = map[byte]Kind{
	tar.TypeReg:       Regular,
	'\x00':            Regular, // before POSIX
	tar.TypeCont:      Regular,
	tar.TypeGNUSparse: Regular,
	tar.TypeLink:      Hardlink,
	tar.TypeSymlink:   Symlink,
	tar.TypeChar:      CharDev,
	tar.TypeBlock:     BlockDev,
	tar.TypeDir:       Directory,
	tar.TypeFifo:      FIFO,
}

const (
	whiteoutPrefix = ".wh."
	// metaPrefix starts the names that AUFS kept for itself; one of them is Opaque.
	metaPrefix = ".wh..wh."
	opaqueName = ".wh..wh..opq"
)

// newFile returns what a tar header says of a file.
func newFile(h *tar.Header, limits limits) (File, error) {
	kind, ok := kinds[h.Typeflag]
	if !ok {
		return File{}, fmt.Errorf("unknown type %q", h.Typeflag)
	}
	p, err := cleanPath(h.Name, limits)
	if err != nil {
		return File{}, err
	}
	f := File{
		Path: p, Kind: kind, Mode: uint32(h.Mode & 0o7777), UID: h.Uid, GID: h.Gid,
		Xattrs: xattrs(h.PAXRecords),
	}
	if h.ModTime.Unix() > 0 {
		f.ModTime = h.ModTime.Unix()
	}
	switch kind {
	case Regular:
		f.Size = h.Size
	case Symlink:
		if len(h.Linkname) > limits.path {
			return File{}, fmt.Errorf("link target of more than %d bytes", limits.path)
		}
		f.Link = printable.Valid(h.Linkname)
	case Hardlink:
		if f.Link, err = cleanPath(h.Linkname, limits); err != nil {
			return File{}, fmt.Errorf("hard link to %s: %w", printable.Quote(h.Linkname), err)
		}
	}
	return f, f.whiteout()
}

// whiteout turns a file with a whiteout's name into what it deletes.
func (f *File) whiteout() error {
	dir, name := path.Split(f.Path)
	switch {
	case name == opaqueName:
		f.Kind, f.Path = Opaque, path.Clean(dir)
	case strings.HasPrefix(name, metaPrefix):
		// AUFS's own, such as .wh..wh.plnk: runtimes skip it, but what it holds is in
		// the image.
	case strings.HasPrefix(name, whiteoutPrefix):
		gone := strings.TrimPrefix(name, whiteoutPrefix)
		if gone == "" || gone == "." || gone == ".." {
			return fmt.Errorf("whiteout of %q", gone)
		}
		f.Kind, f.Path = Whiteout, path.Join(dir, gone)
	}
	return nil
}

// cleanPath makes a name absolute. One with ".." that leads out of the root is
// an error: no tool makes it, and runtimes differ in what they do with it.
func cleanPath(name string, limits limits) (string, error) {
	switch {
	case name == "":
		return "", errors.New("no name")
	case len(name) > limits.path:
		return "", fmt.Errorf("name of more than %d bytes", limits.path)
	case strings.IndexByte(name, 0) >= 0:
		return "", errors.New("NUL in the name")
	}
	relative := path.Clean(strings.TrimLeft(name, "/"))
	if relative == ".." || strings.HasPrefix(relative, "../") {
		return "", errors.New("leads out of the root")
	}
	if strings.Count(relative, "/") > limits.depth {
		return "", fmt.Errorf("more than %d directories deep", limits.depth)
	}
	return path.Join("/", printable.Valid(relative)), nil
}

// xattrs returns the names of extended attributes, of GNU tar's and libarchive's
// form.
func xattrs(records map[string]string) []string {
	var names []string
	for key := range records {
		for _, prefix := range []string{"SCHILY.xattr.", "LIBARCHIVE.xattr."} {
			if name, ok := strings.CutPrefix(key, prefix); ok {
				names = append(names, printable.Valid(name))
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
