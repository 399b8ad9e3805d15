package resolve

import (
	"errors"
	"io/fs"

	"github.com/lucid-project/base-images/lucidbase/lock"
)

// Lists are what a person writes, and a lock.Set is resolved from.
type Lists struct {
	Debian DebianList
	// Python maps the name of a tier's list to its text: see lock.Tier.ListFile.
	Python map[string][]byte
}

// DefaultLists returns the lists that are committed with this library.
func DefaultLists() (Lists, error) { return ReadLists(lock.Files()) }

// DebianListFile is the name of the list of Debian packages.
const DebianListFile = "debian12.toml"

// ReadLists reads the lists from the root of fsys. All errors are reported.
func ReadLists(fsys fs.FS) (Lists, error) {
	l := Lists{Python: map[string][]byte{}}
	data, err := fs.ReadFile(fsys, DebianListFile)
	if err == nil {
		l.Debian, err = ParseDebianList(DebianListFile, data)
	}
	errs := []error{err}
	for _, t := range lock.Tiers() {
		l.Python[t.ListFile()], err = fs.ReadFile(fsys, t.ListFile())
		errs = append(errs, err)
	}
	return l, errors.Join(errs...)
}
