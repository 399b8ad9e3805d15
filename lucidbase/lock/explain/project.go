package explain

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

// Project is a requirements file and what it includes.
type Project struct {
	files []*file
}

// file is one file of a project.
type file struct {
	name       string
	constraint bool
	text       string
	crlf       bool
	lines      []Line
}

// maxFiles is far above what people include; it ends a chain of generated ones.
const maxFiles = 200

// Read reads a requirements file and the files that it includes (-r, -c), each
// once, by the paths that they have from where name is. open is os.ReadFile or
// the like. An include that cannot be read is a line's problem; only the first
// file's is an error.
func Read(name string, open func(name string) ([]byte, error)) (*Project, error) {
	p := &Project{}
	if _, err := p.read(name, false, open); err != nil {
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
	return p, nil
}

func (p *Project) include(l *Line, open func(string) ([]byte, error)) {
	if strings.Contains(l.Path, "://") {
		l.Problem = "an include of an address is not read: keep the file here"
		return
	}
	known, err := p.read(l.target(), l.Constraint, open)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		l.Problem = fmt.Sprintf("there is no file %s", l.target())
	case err != nil:
		l.Problem = fmt.Sprintf("%s cannot be read: %v", l.target(), cause(err))
	case known && l.target() == l.File:
		l.Problem = "the file includes itself"
	}
}

// target is the path of the file that the line includes.
func (l Line) target() string {
	if path.IsAbs(l.Path) {
		return path.Clean(l.Path)
	}
	return path.Join(path.Dir(l.File), strings.ReplaceAll(l.Path, `\`, "/"))
}

func (p *Project) read(name string, constraint bool, open func(string) ([]byte, error)) (known bool, err error) {
	for _, f := range p.files {
		if f.name == name {
			return true, nil
		}
	}
	if len(p.files) == maxFiles {
		return false, fmt.Errorf("more than %d files", maxFiles)
	}
	data, err := open(name)
	if err != nil {
		return false, err
	}
	p.files = append(p.files, &file{
		name: name, constraint: constraint, text: decode(data),
		crlf: strings.Contains(rawText(data), "\r\n"), lines: ParseLines(name, data),
	})
	return false, nil
}

// cause takes the operation and the path off an error: the line names them.
func cause(err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}
