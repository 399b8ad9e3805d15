package verify

import (
	"path"
	"strings"
)

// defaultPath is what a runtime takes when the config has no PATH (containerd's
// and Docker's are the same).
const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// env gives the last value of a variable in the config, as Docker merges them.
func (im *image) env(name string) (value string, ok bool) {
	for _, kv := range im.config.Config.Env {
		if k, v, _ := strings.Cut(kv, "="); k == name {
			value, ok = v, true
		}
	}
	return value, ok
}

// searchPath are the directories that programs are looked for in.
func (im *image) searchPath() []string {
	list, ok := im.env("PATH")
	if !ok {
		list = defaultPath
	}
	if im.dirs == nil {
		for _, dir := range firstDirs(strings.Split(list, ":")) {
			im.dirs = append(im.dirs, im.absolute(dir))
		}
	}
	return im.dirs
}

// maxDirs is how many directories of a search path are looked into: four times
// what the longest real ones have.
const maxDirs = 128

func firstDirs(dirs []string) []string { return dirs[:min(len(dirs), maxDirs)] }

// absolute puts a path in the working directory when it is relative.
func (im *image) absolute(p string) string {
	if path.IsAbs(p) {
		return path.Clean(p)
	}
	return path.Join("/", im.config.Config.WorkingDir, p)
}

// Permissions, as in a mode's last octal digit.
const (
	mayRead   = 4
	maySearch = 1
	mayRun    = 1
)

// may tells whether a user has a permission for a place whose links were followed,
// and may search the directories above it. Root needs one bit of execution, and no
// other; directories that no layer has an entry for are made with mode 755.
func (im *image) may(id identity, at string, bit uint32) bool {
	if !id.known {
		return true
	}
	n := im.root
	parts := strings.Split(strings.Trim(at, "/"), "/")
	for i, name := range parts {
		if name == "" {
			continue
		}
		if i > 0 && !id.has(n.entry, maySearch) {
			return false
		}
		if n = n.children[name]; n == nil {
			return false
		}
	}
	return id.has(n.entry, bit)
}

func (id identity) has(e *entry, bit uint32) bool {
	if e == nil {
		return true
	}
	f := e.content()
	switch {
	case id.uid == 0:
		return bit != mayRun || f.Kind == Directory || f.Mode&0o111 != 0
	case f.UID == id.uid:
		return f.Mode>>6&bit != 0
	case f.GID == id.gid:
		return f.Mode>>3&bit != 0
	}
	return f.Mode&bit != 0
}

// lookPath finds a program as a runtime does: a name with a slash is a path, others
// are looked for in PATH. e is nil when it is not there; runs tells whether the
// user may execute it.
func (im *image) lookPath(id identity, program string) (e *entry, runs bool) {
	candidates := []string{im.absolute(program)}
	if !strings.Contains(program, "/") {
		candidates = nil
		for _, dir := range im.searchPath() {
			candidates = append(candidates, path.Join(dir, program))
		}
	}
	for _, p := range candidates {
		at, n := im.follow(p)
		if n == nil || n.entry == nil || n.entry.Kind == Directory {
			continue
		}
		if im.may(id, at, mayRun) {
			return n.entry, true
		}
		if e == nil {
			e = n.entry
		}
	}
	return e, false
}
