package lock

import (
	"embed"
	"errors"
	"io/fs"
)

// Inputs are the reviewed lists that a Set is resolved from.
type Inputs struct {
	Debian DebianInput
	// Python maps the name of a tier's input file to its text.
	Python map[string][]byte
}

//go:embed debian12.toml *.in
var committedInputs embed.FS

// DefaultInputs gives the lists that are committed with this library.
func DefaultInputs() (Inputs, error) { return ReadInputs(committedInputs) }

// InputDebianFile is the name of the Debian package list.
const InputDebianFile = "debian12.toml"

// ReadInputs reads the lists from the root of fsys. All errors are reported.
func ReadInputs(fsys fs.FS) (Inputs, error) {
	in := Inputs{Python: map[string][]byte{}}
	data, err := fs.ReadFile(fsys, InputDebianFile)
	if err == nil {
		in.Debian, err = ParseDebianInput(InputDebianFile, data)
	}
	errs := []error{err}
	for _, t := range Tiers() {
		in.Python[t.InputFile()], err = fs.ReadFile(fsys, t.InputFile())
		errs = append(errs, err)
	}
	return in, errors.Join(errs...)
}
