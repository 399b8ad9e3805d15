package rootfs

import (
	"archive/tar"
	"fmt"
	"path"
	"strings"
)

// walk gives the path that a name stands for once every link on the way is
// followed, and the links. What is not there yet stands for itself. It is the
// kernel's way with this tree as the root; a link that leads above it is an
// error, though the kernel stops there.
func (t tree) walk(name string) (at string, links []*entry, err error) {
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
			at = parent(at)
			continue
		}
		e := t[path.Join(at, part)]
		switch {
		case e == nil, e.kind == tar.TypeDir:
			at = path.Join(at, part)
			continue
		case e.kind == tar.TypeReg:
			if strings.Trim(rest, "/") != "" {
				return "", nil, fmt.Errorf("%s is no directory", e.name)
			}
			return e.name, links, nil
		}
		if links = append(links, e); len(links) > 40 { // as Linux has it
			return "", nil, fmt.Errorf("the link %s %w", e.name, errLoop)
		}
		if path.IsAbs(e.target) {
			at = ""
		}
		rest = e.target + "/" + rest
	}
	return at, links, nil
}

// real is the path that a name stands for.
func (t tree) real(name string) (string, error) {
	at, _, err := t.walk(name)
	return at, err
}

// find gives the file or directory that a name leads to, or nil.
func (t tree) find(name string) *entry {
	at, err := t.real(name)
	if err != nil {
		return nil
	}
	return t[at]
}
