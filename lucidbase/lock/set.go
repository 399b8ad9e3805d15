package lock

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync"
)

// Tier is a named set of Python packages. Each tier contains the one before.
type Tier string

// The tiers, from the smallest.
const (
	Minimal  Tier = "minimal"
	Python   Tier = "python"
	Standard Tier = "standard"
)

// Tiers lists the tiers from the smallest to the one that contains all others.
func Tiers() []Tier { return []Tier{Minimal, Python, Standard} }

// The files of a set.
const (
	DebianFile = "debian12.json"
	ToolsFile  = "tools.toml"
)

// LockFile is the name of the tier's lock.
func (t Tier) LockFile() string { return string(t) + ".lock.txt" }

// InputFile is the name of the tier's reviewed package list.
func (t Tier) InputFile() string { return string(t) + ".in" }

// Set is everything that a base image is made from.
type Set struct {
	Debian Debian
	Python map[Tier]Requirements
	Tools  Tools
}

//go:embed debian12.json *.lock.txt tools.toml
var committed embed.FS

// Default gives the locks that are committed with this library. Callers must
// not change what it points to.
var Default = sync.OnceValues(func() (*Set, error) { return Read(committed) })

// Read parses a set of locks from the root of fsys, and checks that each tier
// contains the one below with the same versions. All errors are reported.
func Read(fsys fs.FS) (*Set, error) {
	set := &Set{Python: map[Tier]Requirements{}}
	var errs []error
	read := func(name string, parse func([]byte) error) {
		data, err := fs.ReadFile(fsys, name)
		if err == nil {
			err = parse(data)
		}
		errs = append(errs, err)
	}
	read(DebianFile, func(b []byte) (err error) { set.Debian, err = ParseDebian(DebianFile, b); return })
	read(ToolsFile, func(b []byte) (err error) { set.Tools, err = ParseTools(ToolsFile, b); return })
	for _, t := range Tiers() {
		read(t.LockFile(), func(b []byte) (err error) {
			set.Python[t], err = ParseRequirements(t.LockFile(), b)
			return
		})
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return set, set.CheckTiers()
}

// CheckTiers reports each package of a tier that the next one lacks or has in
// another version.
func (s *Set) CheckTiers() error {
	var errs []error
	for i, t := range Tiers()[1:] {
		lower := Tiers()[i]
		if _, err := s.Python[t].Without(s.Python[lower]); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", t.LockFile(), err))
		}
		for _, r := range s.Python[lower] {
			if !slices.ContainsFunc(s.Python[t], func(own Requirement) bool { return own.Name == r.Name }) {
				errs = append(errs, fmt.Errorf("%s: %s is in %s and missing here", t.LockFile(), r.Name, lower.LockFile()))
			}
		}
	}
	return errors.Join(errs...)
}

// Own gives the packages that a tier adds to the tier below it.
func (s *Set) Own(t Tier) (Requirements, error) {
	i := slices.Index(Tiers(), t)
	switch {
	case i < 0:
		return nil, fmt.Errorf("unknown tier %q", t)
	case i == 0:
		return s.Python[t], nil
	}
	return s.Python[t].Without(s.Python[Tiers()[i-1]])
}

// Files gives the set's committed form, by file name.
func (s *Set) Files() map[string][]byte {
	files := map[string][]byte{DebianFile: s.Debian.Format(), ToolsFile: s.Tools.Format()}
	for t, reqs := range s.Python {
		files[t.LockFile()] = append([]byte(header), reqs.Format()...)
	}
	return files
}

const header = "# Written by \"lucidbase lock\"; edit the .in file instead.\n"

// Digest identifies what an image of a tier and further packages is made from,
// "sha256:" and 64 hexadecimal digits. The tools are not part of it: they leave
// no trace.
func (s *Set) Digest(t Tier, further Requirements) string {
	h := sha256.New()
	for _, part := range [][]byte{s.Debian.Format(), s.Python[t].Format(), further.Format()} {
		fmt.Fprintf(h, "%d\n", len(part))
		h.Write(part)
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil))
}
