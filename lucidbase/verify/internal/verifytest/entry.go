// Package verifytest makes layers and images for the tests of verify.
package verifytest

import (
	"archive/tar"
	"strings"
)

// Entry is an entry of a layer that a test makes.
type Entry struct {
	tar.Header
	Body string
}

// File is a regular file.
func File(path, body string) Entry {
	return Entry{tar.Header{Typeflag: tar.TypeReg, Name: path, Mode: 0o644, Size: int64(len(body))}, body}
}

// Program is a file that everybody may execute.
func Program(path, body string) Entry { return File(path, body).WithMode(0o755) }

// Dir is a directory.
func Dir(path string) Entry {
	return Entry{Header: tar.Header{Typeflag: tar.TypeDir, Name: path, Mode: 0o755}}
}

// Link is a symbolic link.
func Link(path, target string) Entry {
	return Entry{Header: tar.Header{Typeflag: tar.TypeSymlink, Name: path, Linkname: target, Mode: 0o777}}
}

// Hardlink is another name of a file.
func Hardlink(path, target string) Entry {
	return Entry{Header: tar.Header{Typeflag: tar.TypeLink, Name: path, Linkname: target, Mode: 0o755}}
}

// Device is a node of a type of package tar, such as tar.TypeChar.
func Device(path string, typeflag byte) Entry {
	return Entry{Header: tar.Header{Typeflag: typeflag, Name: path, Mode: 0o600, Devmajor: 1, Devminor: 3}}
}

// Whiteout deletes a path of lower layers; opaque all that they have in a directory.
func Whiteout(path string) Entry {
	i := strings.LastIndex(path, "/") + 1
	return File(path[:i]+".wh."+path[i:], "")
}

// Opaque deletes what lower layers have in a directory.
func Opaque(dir string) Entry { return File(dir+"/.wh..wh..opq", "") }

// WithMode returns the entry with other permissions.
func (e Entry) WithMode(m int64) Entry { e.Mode = m; return e }

// OwnedBy returns the entry with another owner and group.
func (e Entry) OwnedBy(uid, gid int) Entry { e.Uid, e.Gid = uid, gid; return e }

// WithXattr returns the entry with an extended attribute.
func (e Entry) WithXattr(name, value string) Entry {
	e.PAXRecords = map[string]string{"SCHILY.xattr." + name: value}
	return e
}
