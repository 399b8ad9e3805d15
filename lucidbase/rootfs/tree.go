package rootfs

import (
	"archive/tar"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
)

// tree is a layer's content by path.
type tree map[string]*entry

// names gives the paths in order: each directory before what is in it.
func (t tree) names() []string { return slices.Sorted(maps.Keys(t)) }

// add puts an entry in its place, below directories. What is there already must
// be the same.
func (t tree) add(e *entry) error {
	for dir := path.Dir(e.name); dir != "."; dir = path.Dir(dir) {
		if t[dir] == nil {
			t[dir] = &entry{name: dir, from: e.from, kind: tar.TypeDir, mode: 0o755, implied: true}
		} else if t[dir].kind != tar.TypeDir {
			return fmt.Errorf("package %s: entry %s: %s is no directory in package %s", e.from, e.name, dir, t[dir].from)
		}
	}
	old := t[e.name]
	switch {
	case old == nil, old.implied && e.kind == tar.TypeDir:
		t[e.name] = e
		return nil
	case old.sameAs(e):
		return nil
	}
	return fmt.Errorf("package %s: entry %s: package %s ships it differently", e.from, e.name, old.from)
}

var (
	errNowhere = errors.New("ends nowhere")
	errLeaves  = errors.New("leaves the root")
	errLoop    = errors.New("goes in a circle")
)

// follow follows every link on the way to a name, as the kernel does it with this
// tree as the root, and says why it leads to nothing.
func (t tree) follow(name string) error {
	at, rest := "", name
	for hops := 0; rest != ""; {
		var part string
		part, rest, _ = strings.Cut(rest, "/")
		switch part {
		case "", ".":
			continue
		case "..":
			if at == "" {
				return errLeaves
			}
			at = strings.TrimPrefix(path.Dir("/"+at), "/")
			continue
		}
		e := t[path.Join(at, part)]
		switch {
		case e == nil, e.kind == tar.TypeReg && strings.Trim(rest, "/") != "":
			return errNowhere
		case e.kind != tar.TypeSymlink:
			at = e.name
			continue
		}
		if hops++; hops > 40 {
			return errLoop
		}
		if path.IsAbs(e.target) {
			at = ""
		}
		rest = e.target + "/" + rest
	}
	return nil
}

// has reports whether a name leads to something.
func (t tree) has(name string) bool {
	return t.follow(name) == nil
}

// checkLinks reports a link that ends nowhere. Those between directories of
// documentation are dropped instead: Debian's lead to packages that hold nothing
// else and need not be listed.
func (t tree) checkLinks() error {
	for _, name := range t.names() {
		e := t[name]
		if e.kind != tar.TypeSymlink {
			continue
		}
		err := t.follow(name)
		switch {
		case err == nil:
		case errors.Is(err, errNowhere) && strings.HasPrefix(name, docDir):
			delete(t, name)
		default:
			return fmt.Errorf("package %s: entry %s: the link to %s %w", e.from, name, e.target, err)
		}
	}
	return nil
}

// dropScripts removes programs whose interpreter is not there, such as the shell
// scripts of ca-certificates. Python's own modules stay: some start with a path
// that is right nowhere, and are imported rather than run.
func (t tree) dropScripts() {
	for _, name := range t.names() {
		e := t[name]
		if e.kind != tar.TypeReg || e.mode&0o111 == 0 || path.Ext(name) == ".py" {
			continue
		}
		if command := e.content.interpreter; command != "" && !t.has(command) {
			delete(t, name)
		}
	}
}

// interpreter gives the program that a file's first line asks for, if any.
func interpreter(head []byte) string {
	line, _, _ := strings.Cut(string(head), "\n")
	command, ok := strings.CutPrefix(line, "#!")
	if !ok {
		return ""
	}
	words := strings.Fields(command)
	switch {
	case len(words) == 0:
		return ""
	case len(words) > 1 && path.Base(words[0]) == "env":
		return path.Join("/usr/bin", words[1])
	}
	return words[0]
}
