package overlay

import (
	"fmt"
	"path"
	"strings"

	"github.com/lucid-project/base-images/lucidbase/verify/internal/scan"
)

// defaultPath is what a runtime takes when the config has no PATH (containerd's
// and Docker's are the same).
const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// Env returns the last value of a variable in the config, as Docker merges them.
func (im *Image) Env(name string) (value string, ok bool) {
	for _, kv := range im.Config.Config.Env {
		if k, v, _ := strings.Cut(kv, "="); k == name {
			value, ok = v, true
		}
	}
	return value, ok
}

// SearchPath are the directories that programs are looked for in.
func (im *Image) SearchPath() []string {
	list, ok := im.Env("PATH")
	if !ok {
		list = defaultPath
	}
	if im.dirs == nil {
		for _, dir := range firstDirs(strings.Split(list, ":")) {
			im.dirs = append(im.dirs, im.Absolute(dir))
		}
	}
	return im.dirs
}

// maxDirs is how many directories of a search path are looked into: four times
// what the longest real ones have.
const maxDirs = 128

func firstDirs(dirs []string) []string { return dirs[:min(len(dirs), maxDirs)] }

// Absolute puts a path in the working directory when it is relative.
func (im *Image) Absolute(p string) string {
	if path.IsAbs(p) {
		return path.Clean(p)
	}
	return path.Join("/", im.Config.Config.WorkingDir, p)
}

// Permissions, as in a mode's last octal digit.
const (
	MayRead   = 4
	MaySearch = 1
	mayRun    = 1
)

// May reports whether a user has a permission for a place whose links were followed,
// and may search the directories above it. Root needs one bit of execution, and no
// other; directories that no layer has an entry for are made with mode 755.
func (im *Image) May(id Identity, at string, bit uint32) bool {
	if !id.Known {
		return true
	}
	n := im.Root
	parts := strings.Split(strings.Trim(at, "/"), "/")
	for i, name := range parts {
		if name == "" {
			continue
		}
		if i > 0 && !id.has(n.Entry, MaySearch) {
			return false
		}
		if n = n.Children[name]; n == nil {
			return false
		}
	}
	return id.has(n.Entry, bit)
}

func (id Identity) has(e *Entry, bit uint32) bool {
	if e == nil {
		return true
	}
	f := e.Content()
	switch {
	case id.Uid == 0:
		return bit != mayRun || f.Kind == scan.Directory || f.Mode&0o111 != 0
	case f.UID == id.Uid:
		return f.Mode>>6&bit != 0
	case f.GID == id.Gid:
		return f.Mode>>3&bit != 0
	}
	return f.Mode&bit != 0
}

// LookPath finds a program as a runtime does: a name with a slash is a path, others
// are looked for in PATH. e is nil when it is not there; runs reports whether the
// user may execute it.
func (im *Image) LookPath(id Identity, program string) (e *Entry, runs bool) {
	candidates := []string{im.Absolute(program)}
	if !strings.Contains(program, "/") {
		candidates = nil
		for _, dir := range im.SearchPath() {
			candidates = append(candidates, path.Join(dir, program))
		}
	}
	for _, p := range candidates {
		at, n := im.Follow(p)
		if n == nil || n.Entry == nil || n.Entry.Kind == scan.Directory {
			continue
		}
		if im.May(id, at, mayRun) {
			return n.Entry, true
		}
		if e == nil {
			e = n.Entry
		}
	}
	return e, false
}

// Barrier names the first place on the way to a file that stops the user.
func (im *Image) Barrier(id Identity, at string) string {
	for i := 1; i < len(at); i++ {
		if at[i] == '/' && !im.May(id, at[:i], MaySearch) {
			return fmt.Sprintf("directory %s has mode %04o, owner %d:%d", at[:i], im.Stat(at[:i]).Mode, im.Stat(at[:i]).UID, im.Stat(at[:i]).GID)
		}
	}
	c := im.Stat(at).Content()
	return fmt.Sprintf("mode %04o, owner %d:%d", c.Mode, c.UID, c.GID)
}

// IsDir reports whether a path with a slash leads to a directory, links followed.
func (im *Image) IsDir(p string) bool {
	_, n := im.Follow(im.Absolute(p))
	return strings.Contains(p, "/") && n != nil && (n.Entry == nil || n.Entry.Kind == scan.Directory)
}
