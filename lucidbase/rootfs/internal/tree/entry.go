package tree

import (
	"archive/tar"
	"errors"
	"path"
	"strings"
)

// Entry is a file, directory or symbolic link of a layer.
type Entry struct {
	Name     string // clean, relative to the root
	From     string // the package that ships it
	Kind     byte   // tar.TypeReg, TypeDir or TypeSymlink
	Mode     int64
	UID, GID int
	Target   string   // of a symbolic link
	Content  *Content // of a file
	Implied  bool     // a directory that no package ships
}

// shared are the directories that everybody may write to.
var shared = map[string]bool{"tmp": true, "var/tmp": true}

// CleanName returns the path relative to the root, empty for the root itself.
func CleanName(raw string) (string, error) {
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

// DirMode drops set-id bits and the right to write for others than the owner.
func DirMode(name string, mode int64) int64 {
	if shared[name] {
		return 0o1777
	}
	return mode & 0o755
}

// CheckFileMode refuses a file with set-id bits, or that everybody may write to.
func CheckFileMode(mode int64) error {
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

// sameAs reports whether two packages ship the very same thing.
func (e *Entry) sameAs(other *Entry) bool {
	if e.Kind != other.Kind || e.Mode != other.Mode || e.UID != other.UID || e.GID != other.GID || e.Target != other.Target {
		return false
	}
	return e.Kind != tar.TypeReg || e.Content.Sum == other.Content.Sum
}

// Parent is path.Dir for names relative to the root, which is "".
func Parent(name string) string {
	if dir := path.Dir(name); dir != "." {
		return dir
	}
	return ""
}
