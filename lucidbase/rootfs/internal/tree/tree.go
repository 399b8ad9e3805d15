// Package tree holds the files of a layer, from whatever packages they are, and
// writes them as a tar in which nothing depends on who makes it or when.
package tree

import (
	"archive/tar"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
)

// Tree is a layer's content by path.
type Tree map[string]*Entry

// Names returns the paths in order: each directory before what is in it.
func (t Tree) Names() []string { return slices.Sorted(maps.Keys(t)) }

// Add puts an entry in its place, below directories. What is there already must
// be the same.
func (t Tree) Add(e *Entry) error {
	for dir := path.Dir(e.Name); dir != "."; dir = path.Dir(dir) {
		if t[dir] == nil {
			t[dir] = &Entry{Name: dir, From: e.From, Kind: tar.TypeDir, Mode: 0o755, Implied: true}
		} else if t[dir].Kind != tar.TypeDir {
			return fmt.Errorf("package %s: entry %s: %s is no directory in package %s", e.From, e.Name, dir, t[dir].From)
		}
	}
	old := t[e.Name]
	switch {
	case old == nil, old.Implied && e.Kind == tar.TypeDir:
		t[e.Name] = e
		return nil
	case old.sameAs(e):
		return nil
	}
	return fmt.Errorf("package %s: entry %s: package %s ships it differently", e.From, e.Name, old.From)
}

// Has reports whether a name leads to something.
func (t Tree) Has(name string) bool { return t.check(name) == nil }

// CheckLinks reports a link that ends nowhere. Those between directories of
// documentation are dropped instead: Debian's lead to packages that hold nothing
// else and need not be listed.
func (t Tree) CheckLinks() error {
	for _, name := range t.Names() {
		e := t[name]
		if e.Kind != tar.TypeSymlink {
			continue
		}
		err := t.check(name)
		switch {
		case err == nil:
		case errors.Is(err, ErrNowhere) && strings.HasPrefix(name, DocDir):
			delete(t, name)
		default:
			return fmt.Errorf("package %s: entry %s: the link to %s %w", e.From, name, e.Target, err)
		}
	}
	return nil
}

// DropScripts removes programs whose interpreter is neither there nor among known, such
// as the shell scripts of ca-certificates, with the links to them, and returns them.
// Python's own modules stay: some start with a path that is right nowhere, and are
// imported rather than run.
func (t Tree) DropScripts(known ...string) []*Entry {
	var dropped []*Entry
	for _, name := range t.Names() {
		e := t[name]
		if e.Kind != tar.TypeReg || e.Mode&0o111 == 0 || path.Ext(name) == ".py" {
			continue
		}
		if command := e.Content.interpreter; command != "" && !slices.Contains(known, command) && !t.Has(command) {
			dropped = append(dropped, e)
		}
	}
	t.remove(dropped)
	return dropped
}

// Drop removes files, by their absolute paths, and the links that lead to one of them.
func (t Tree) Drop(names []string) {
	var files []*Entry
	for _, name := range names {
		if e := t[strings.TrimPrefix(name, "/")]; e != nil {
			files = append(files, e)
		}
	}
	t.remove(files)
}

// remove removes files and the links that lead to one of them.
func (t Tree) remove(files []*Entry) {
	gone := map[*Entry]bool{}
	for _, e := range files {
		gone[e] = true
	}
	for _, name := range t.Names() {
		if e := t[name]; gone[e] || e.Kind == tar.TypeSymlink && gone[t.Find(name)] {
			gone[e] = true
		}
	}
	for e := range gone {
		delete(t, e.Name)
	}
}

// interpreter returns the program that a file's first line asks for, if any.
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
