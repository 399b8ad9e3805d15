package tree

import (
	"archive/tar"
	"errors"
	"path"
	"strings"
)

// Why a path leads no further.
var (
	ErrNowhere = errors.New("ends nowhere")
	errLeaves  = errors.New("leaves the root")
	errLoop    = errors.New("goes in a circle")
	errFile    = errors.New("leads through a file")
)

// Walk returns the path that a name stands for once every link on the way is
// followed, and the links. What is not there yet stands for itself. It is the
// kernel's way with this tree as the root; a link that leads above it is an
// error, though the kernel stops there: no package means that. (The contract, which
// judges what a container sees, has a walk of its own that stops there, too.)
func (t Tree) Walk(name string) (at string, links []*Entry, err error) {
	rest := name
	for rest != "" {
		var part string
		part, rest, _ = strings.Cut(rest, "/")
		switch part {
		case "", ".":
			continue
		case "..":
			if at == "" {
				return "", nil, errLeaves
			}
			if t[at] == nil {
				return "", nil, ErrNowhere
			}
			at = Parent(at)
			continue
		}
		e := t[path.Join(at, part)]
		switch {
		case e == nil, e.Kind == tar.TypeDir:
			at = path.Join(at, part)
			continue
		case e.Kind == tar.TypeReg:
			if strings.Trim(rest, "/") != "" {
				return "", nil, errFile
			}
			return e.Name, links, nil
		}
		if links = append(links, e); len(links) > 40 { // as Linux has it
			return "", nil, errLoop
		}
		if path.IsAbs(e.Target) {
			at = ""
		}
		rest = e.Target + "/" + rest
	}
	return at, links, nil
}

// check returns why a name leads to nothing that is there.
func (t Tree) check(name string) error {
	at, _, err := t.Walk(name)
	if err == nil && at != "" && t[at] == nil {
		return ErrNowhere
	}
	return err
}

// Real returns the path that a name stands for.
func (t Tree) Real(name string) (string, error) {
	at, _, err := t.Walk(name)
	return at, err
}

// Find returns the file or directory that a name leads to, or nil.
func (t Tree) Find(name string) *Entry {
	at, err := t.Real(name)
	if err != nil {
		return nil
	}
	return t[at]
}
