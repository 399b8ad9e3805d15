package explain

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"unicode/utf8"
)

// Project is a requirements file and what it includes.
type Project struct {
	files    []*file
	getenv   func(string) string
	settings settings
}

// file is one file of a project.
type file struct {
	name       string
	constraint bool
	text       string
	crlf       bool
	problem    string // of all of the file
	lines      []Line
}

// maxFiles is far above what people include; it ends a chain of generated ones.
const maxFiles = 200

// Read reads a requirements file and the files that it includes (-r, -c), each
// once, by the paths that they have from where name is. open is os.ReadFile or
// the like; getenv returns the values of variables, as os.Getenv does, and may be
// nil. An include that cannot be read is a line's problem; only the first file's
// is an error.
func Read(name string, open func(name string) ([]byte, error), getenv func(string) string) (*Project, error) {
	if getenv == nil {
		getenv = func(string) string { return "" }
	}
	p := &Project{getenv: getenv}
	if err := p.read(name, false, open); err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, cause(err))
	}
	// The list grows while it is read.
	for i := 0; i < len(p.files); i++ {
		f := p.files[i]
		for j := range f.lines {
			l := &f.lines[j]
			if l.Constraint = l.Constraint || f.constraint; l.Kind == Include {
				p.include(l, open)
			}
		}
	}
	p.settle(p.files[0], map[*file]bool{})
	return p, nil
}

// Incomplete reports whether a file of the project cannot be read, so that nobody
// knows what it asks for.
func (p *Project) Incomplete() bool {
	for _, f := range p.files {
		if f.problem != "" && f.text == "" {
			return true
		}
		for _, l := range f.lines {
			if l.Kind == Include && l.Problem != "" && p.find(l.target()) == nil {
				return true
			}
		}
	}
	return false
}

func (p *Project) include(l *Line, open func(string) ([]byte, error)) {
	if l.Problem = unset(l.Path); l.Problem != "" {
		return
	}
	if strings.Contains(l.Path, "://") {
		l.Problem = "an include of an address is not read: keep the file here"
		return
	}
	if known := p.find(l.target()); known != nil {
		if known.name == l.File {
			l.Problem = "the file includes itself"
		}
		if !l.Constraint {
			p.demand(known)
		}
		return
	}
	switch err := p.read(l.target(), l.Constraint, open); {
	case errors.Is(err, fs.ErrNotExist):
		l.Problem = fmt.Sprintf("there is no file %s", l.target())
	case err != nil:
		l.Problem = fmt.Sprintf("%s cannot be read: %v", l.target(), cause(err))
	}
}

// demand makes requirements of a file that was included as constraints before.
func (p *Project) demand(f *file) {
	if !f.constraint {
		return
	}
	f.constraint = false
	for i := range f.lines {
		l := &f.lines[i]
		if l.Constraint = l.Kind == Include && l.Options[0].Name == "--constraint"; l.Kind != Include || l.Constraint {
			continue
		}
		if included := p.find(l.target()); included != nil {
			p.demand(included)
		}
	}
}

// target is the path of the file that the line includes.
func (l Line) target() string {
	if path.IsAbs(l.Path) {
		return path.Clean(l.Path)
	}
	return path.Join(path.Dir(l.File), strings.ReplaceAll(l.Path, `\`, "/"))
}

func (p *Project) find(name string) *file {
	for _, f := range p.files {
		if f.name == name {
			return f
		}
	}
	return nil
}

func (p *Project) read(name string, constraint bool, open func(string) ([]byte, error)) error {
	if len(p.files) == maxFiles {
		return fmt.Errorf("more than %d files", maxFiles)
	}
	data, err := open(name)
	if err != nil {
		return err
	}
	f := &file{name: name, constraint: constraint}
	f.text, f.problem = decode(data)
	f.crlf = strings.Contains(f.text, "\r\n")
	f.text = lineEnds.Replace(f.text)
	f.lines = parseLines(name, f.text, p.getenv)
	if f.problem == "" && !utf8.Valid(data) && slices.ContainsFunc(f.lines, func(l Line) bool { return strings.Contains(l.Text, "\uFFFD") }) {
		f.problem = "its encoding is not UTF-8: save it as UTF-8, or name the encoding above all else: # -*- coding: latin-1 -*-"
	}
	p.files = append(p.files, f)
	return nil
}

// cause takes the operation and the path off an error: the line names them.
func cause(err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}
