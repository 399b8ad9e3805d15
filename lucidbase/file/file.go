package file

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/lucid-project/base-images/lucidbase/lock"
	"github.com/lucid-project/base-images/variants"
)

// Name is what the file is called.
const Name = "lucidbase.yaml"

// maxSize is the size of a file of some 250 services. It bounds what a hostile one
// costs: some 200 MB.
const maxSize = 256 << 10

// maxErrors is how many errors are reported.
const maxErrors = 100

// Reader reads a file.
type Reader struct {
	// FS has the file, the locks that it names and the directories of source.
	FS fs.FS
	// Name is the file's path in FS.
	Name string
	// Shown is what errors call the file; empty means Name.
	Shown string
	// From returns a directory of source by its path in FS, where it is one; nil means
	// that of FS. A directory on disk is better named by variants.Dir: a .dockerignore
	// above it in its Git repository counts then.
	From func(dir string) variants.From
	// Validate reports what a service's Validate does as well, at its place in the file;
	// else its Graph reports it.
	Validate bool
}

// Load reads the services of a file by their names. What the file names is read from
// fsys, too.
func Load(fsys fs.FS, name string) (map[string]variants.Service, error) {
	return Reader{FS: fsys, Name: name}.Services()
}

// Services returns the services by their names. The error has a line for everything that
// is wrong, each with the file, the line and the column. Whether a service makes sense
// is for its Graph to say.
func (r Reader) Services() (map[string]variants.Service, error) {
	read := map[string]lock.Packages{}
	d := decoder{Reader: r}
	d.lock = func(file string) (lock.Packages, error) {
		if p, ok := read[file]; ok {
			return p, nil // what is wrong with it is said once
		}
		dir, err := fs.Sub(r.FS, path.Dir(file))
		if err != nil {
			return lock.Packages{}, err
		}
		p, err := lock.Read(dir, path.Base(file))
		name, named := path.Base(file), strings.HasSuffix(file, lockSuffix)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			err = fmt.Errorf("no such lock: \"lucidbase lock -f %s\" writes it", d.shown())
		case errors.Is(err, lock.ErrNoHashes) && named:
			err = fmt.Errorf("%s: %w: \"lucidbase lock -f %s\" writes it", name, lock.ErrNoHashes, d.shown())
		case errors.Is(err, lock.ErrNoHashes):
			now := strings.TrimSuffix(name, path.Ext(name)) + lockSuffix
			err = fmt.Errorf("%s: %w: name %s, which \"lucidbase lock -f %s\" writes", name, lock.ErrNoHashes, now, d.shown())
		}
		read[file] = p
		return p, err
	}
	d.lockSystem = func(file string) (lock.System, error) {
		s, err := lock.ReadSystem(r.FS, file)
		if errors.Is(err, fs.ErrNotExist) {
			err = fmt.Errorf("no %s, the packages' lock: \"lucidbase lock -f %s\" writes it", path.Base(file), d.shown())
		}
		return s, err
	}
	return d.services()
}

// decoder reads one file.
type decoder struct {
	Reader
	lock func(file string) (lock.Packages, error)
	// lockSystem reads a lock of Debian packages.
	lockSystem func(file string) (lock.System, error)
	// of is the service whose fields are read, or the file's name for defaults.
	of   string
	errs []located
	// sections are the values of the keys at the top.
	sections map[string]*yaml.Node
}

func (r Reader) shown() string { return cmp.Or(r.Shown, r.Name) }

// located is an error at a place in the file.
type located struct {
	line, column int
	error
}

// at reports what is wrong with a node.
func (d *decoder) at(n *yaml.Node, format string, args ...any) {
	d.errs = append(d.errs, located{n.Line, n.Column, fmt.Errorf(format, args...)})
}

// err returns everything that was reported, in the order of the file.
func (d *decoder) err() error {
	slices.SortStableFunc(d.errs, func(a, b located) int {
		return cmp.Or(a.line-b.line, a.column-b.column)
	})
	var errs []error
	for i, e := range d.errs {
		if i == maxErrors {
			errs = append(errs, fmt.Errorf("%s: %d more errors", d.shown(), len(d.errs)-i))
			break
		}
		errs = append(errs, fmt.Errorf("%s:%d:%d: %w", d.shown(), e.line, e.column, e.error))
	}
	return errors.Join(errs...)
}

// document parses the file.
func (d *decoder) document() (*yaml.Node, error) {
	f, err := d.FS.Open(d.Name)
	if at := (*fs.PathError)(nil); errors.As(err, &at) {
		err = at.Err // d.Name may not be what the file is called
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", d.shown(), err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxSize+1))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", d.shown(), err)
	}
	if len(data) > maxSize {
		return nil, fmt.Errorf("%s: larger than %d KiB", d.shown(), maxSize>>10)
	}
	var doc yaml.Node
	if err := yaml.Load(data, &doc); err != nil {
		d.errs = append(d.errs, syntax(err))
		return nil, d.err()
	}
	return doc.Content[0], nil
}

// syntax is an error of the parser, at the beginning if it has no place.
func syntax(err error) located {
	var all *yaml.LoadErrors
	var one *yaml.LoadError
	if errors.As(err, &all) && len(all.Errors) > 0 {
		one = all.Errors[0]
	} else if !errors.As(err, &one) {
		return located{1, 1, err}
	}
	text := strings.TrimPrefix(one.Message, "yaml: ")
	return located{max(1, one.Mark.Line), max(1, one.Mark.Column), errors.New(text)}
}
