package deb

import (
	"archive/tar"
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/lucid-project/base-images/lucidbase/rootfs/internal/tree"
)

// Link is a symbolic link, by its path relative to the root.
type Link struct{ Name, Target string }

// Moved are the directories that are links in Debian 12: packages may still
// ship files below the old name. The link's text is Debian's.
var Moved = []Link{
	{"bin", "usr/bin"},
	{"lib", "usr/lib"},
	{"lib64", "usr/lib64"},
	{"sbin", "usr/sbin"},
	{"var/lock", "/run/lock"},
	{"var/run", "/run"},
}

// newEntry reads a header of a package's data archive. There is no entry for the
// root, nor for a link that every image has anyway.
func newEntry(from string, h *tar.Header) (*tree.Entry, error) {
	name, err := tree.CleanName(h.Name)
	if err != nil || name == "" {
		return nil, err
	}
	e := &tree.Entry{Name: Reroot(name), From: from, Kind: h.Typeflag, Mode: h.Mode & 0o7777, UID: h.Uid, GID: h.Gid}
	switch h.Typeflag {
	case tar.TypeDir:
		e.Mode = tree.DirMode(e.Name, e.Mode)
		return e, nil
	case tar.TypeSymlink:
		e.Target, e.Mode = h.Linkname, 0o777
		return unlessMoved(e, name)
	case tar.TypeReg, tar.TypeLink:
		e.Kind = tar.TypeReg
		return e, tree.CheckFileMode(e.Mode)
	case tar.TypeChar, tar.TypeBlock:
		return nil, errors.New("is a device node")
	case tar.TypeFifo:
		return nil, errors.New("is a named pipe")
	}
	return nil, fmt.Errorf("is of unknown type %q", h.Typeflag)
}

// Reroot returns the place of a path whose directory has moved.
func Reroot(name string) string {
	for _, m := range Moved {
		if name == m.Name || strings.HasPrefix(name, m.Name+"/") {
			return strings.TrimPrefix(m.Target, "/") + strings.TrimPrefix(name, m.Name)
		}
	}
	return name
}

// unlessMoved leaves out the links of Moved, which a package may ship as well.
func unlessMoved(e *tree.Entry, name string) (*tree.Entry, error) {
	for _, m := range Moved {
		if name != m.Name {
			continue
		}
		target := e.Target
		if !path.IsAbs(target) {
			target = path.Join("/", path.Dir(name), target)
		}
		if path.Clean(target) != path.Join("/", m.Target) {
			return nil, fmt.Errorf("links to %s instead of %s", e.Target, m.Target)
		}
		return nil, nil
	}
	return e, nil
}

// linkTo makes the entry another name of a file that came before it.
func linkTo(e *tree.Entry, linkname string, files map[string]*tree.Entry) error {
	name, err := tree.CleanName(linkname)
	if err != nil {
		return fmt.Errorf("hard link to %s: %w", linkname, err)
	}
	target := files[Reroot(name)]
	if target == nil {
		return fmt.Errorf("hard link to %s, which is no file before it in this package", linkname)
	}
	e.Content, e.Mode, e.UID, e.GID = target.Content, target.Mode, target.UID, target.GID
	return nil
}
