package tree

import (
	"archive/tar"
	"errors"
	"fmt"
	"path"
)

// PackageError is about one package.
type PackageError struct {
	Package string
	Err     error
}

// Error says what is wrong.
func (e *PackageError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *PackageError) Unwrap() error { return e.Err }

// CheckOn reports what of the tree would replace, or change, something of a tree that it
// is put on.
func (t Tree) CheckOn(below Tree) error {
	var errs []error
	bad := func(e *Entry, format string, args ...any) {
		errs = append(errs, &PackageError{e.From, fmt.Errorf("package "+e.From+": "+format, args...)})
	}
	for _, name := range t.Names() {
		e, old := t[name], below[name]
		if old == nil {
			old = nonDirectory(below, name)
		}
		switch {
		case old == nil, old.Name == name && old.sameAs(e):
		case old.Kind == tar.TypeDir && e.Kind == tar.TypeDir:
			bad(e, "directory %s: mode %04o, owner %d, and package %s of the base has it with %04o, %d", name, e.Mode, e.UID, old.From, old.Mode, old.UID)
		default:
			bad(e, "entry %s: the base has it of package %s", old.Name, old.From)
		}
	}
	return errors.Join(errs...)
}

// nonDirectory returns what is in a directory's place on the way to a name, or nil.
func nonDirectory(t Tree, name string) *Entry {
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		if e := t[dir]; e != nil && e.Kind != tar.TypeDir {
			return e
		}
	}
	return nil
}
