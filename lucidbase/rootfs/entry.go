package rootfs

import (
	"archive/tar"
	"errors"
	"fmt"
	"path"
	"strings"
)

// entry is a file, directory or symbolic link of a layer.
type entry struct {
	name     string // clean, relative to the root
	from     string // the package that ships it
	kind     byte   // tar.TypeReg, TypeDir or TypeSymlink
	mode     int64
	uid, gid int
	target   string   // of a symbolic link
	content  *content // of a file
	implied  bool     // a directory that no package ships
}

// moved are the directories that are links in Debian 12: packages may still
// ship files below the old name. The link's text is Debian's.
var moved = []struct{ name, target string }{
	{"bin", "usr/bin"},
	{"lib", "usr/lib"},
	{"lib64", "usr/lib64"},
	{"sbin", "usr/sbin"},
	{"var/lock", "/run/lock"},
	{"var/run", "/run"},
}

// shared are the directories that everybody may write to.
var shared = map[string]bool{"tmp": true, "var/tmp": true}

// newEntry reads a header of a package's data archive. There is no entry for the
// root, nor for a link that every image has anyway.
func newEntry(from string, h *tar.Header) (*entry, error) {
	name, err := cleanName(h.Name)
	if err != nil || name == "" {
		return nil, err
	}
	e := &entry{name: reroot(name), from: from, kind: h.Typeflag, mode: h.Mode & 0o7777, uid: h.Uid, gid: h.Gid}
	switch h.Typeflag {
	case tar.TypeDir:
		e.mode = dirMode(e.name, e.mode)
		return e, nil
	case tar.TypeSymlink:
		e.target, e.mode = h.Linkname, 0o777
		return e.unlessMoved(name)
	case tar.TypeReg, tar.TypeLink:
		e.kind = tar.TypeReg
		return e, checkFileMode(e.mode)
	case tar.TypeChar, tar.TypeBlock:
		return nil, errors.New("is a device node")
	case tar.TypeFifo:
		return nil, errors.New("is a named pipe")
	}
	return nil, fmt.Errorf("is of unknown type %q", h.Typeflag)
}

// cleanName gives the path relative to the root, empty for the root itself.
func cleanName(raw string) (string, error) {
	name := strings.TrimRight(strings.TrimPrefix(raw, "./"), "/")
	if name == "." {
		name = ""
	}
	for part := range strings.SplitSeq(name, "/") {
		switch {
		case part == "..":
			return "", errors.New("leaves the root")
		case part == "" && name != "", part == ".":
			return "", errors.New("is not a clean path")
		case strings.HasPrefix(part, ".wh."):
			return "", errors.New("would remove a file of a lower layer") // OCI image spec, "Whiteouts"
		}
	}
	return name, nil
}

// reroot gives the place of a path whose directory has moved.
func reroot(name string) string {
	for _, m := range moved {
		if name == m.name || strings.HasPrefix(name, m.name+"/") {
			return strings.TrimPrefix(m.target, "/") + strings.TrimPrefix(name, m.name)
		}
	}
	return name
}

// unlessMoved leaves out the links of moved, which a package may ship as well.
func (e *entry) unlessMoved(name string) (*entry, error) {
	for _, m := range moved {
		if name != m.name {
			continue
		}
		target := e.target
		if !path.IsAbs(target) {
			target = path.Join("/", path.Dir(name), target)
		}
		if path.Clean(target) != path.Join("/", m.target) {
			return nil, fmt.Errorf("links to %s instead of %s", e.target, m.target)
		}
		return nil, nil
	}
	return e, nil
}

// dirMode drops set-id bits and the right to write for others than the owner.
func dirMode(name string, mode int64) int64 {
	if shared[name] {
		return 0o1777
	}
	return mode & 0o755
}

func checkFileMode(mode int64) error {
	switch {
	case mode&0o4000 != 0:
		return errors.New("is setuid")
	case mode&0o2000 != 0:
		return errors.New("is setgid")
	case mode&0o002 != 0:
		return errors.New("is writable for everybody")
	case mode&0o1000 != 0:
		return errors.New("is a file with a sticky bit")
	}
	return nil
}

// linkTo makes the entry another name of a file that came before it.
func (e *entry) linkTo(linkname string, files map[string]*entry) error {
	name, err := cleanName(linkname)
	if err != nil {
		return fmt.Errorf("hard link to %s: %w", linkname, err)
	}
	target := files[reroot(name)]
	if target == nil {
		return fmt.Errorf("hard link to %s, which is no file before it in this package", linkname)
	}
	e.content, e.mode, e.uid, e.gid = target.content, target.mode, target.uid, target.gid
	return nil
}

// sameAs reports whether two packages ship the very same thing.
func (e *entry) sameAs(other *entry) bool {
	if e.kind != other.kind || e.mode != other.mode || e.uid != other.uid || e.gid != other.gid || e.target != other.target {
		return false
	}
	return e.kind != tar.TypeReg || e.content.sum == other.content.sum
}
