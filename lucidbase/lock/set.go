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
	// Bare is no packages at all. It is none of Tiers, and no files are locked for it.
	Bare Tier = "bare"
)

// Tiers lists the tiers from the smallest to the one that contains all others.
func Tiers() []Tier { return []Tier{Minimal, Python, Standard} }

// The files of a set.
const (
	DebianFile = "debian12.json"
	ToolsFile  = "tools.toml"
	// AlpineFile is there only in a set that has an Alpine base.
	AlpineFile = "alpine.json"
)

// LockFile is the name of the tier's lock.
func (t Tier) LockFile() string { return string(t) + ".lock.txt" }

// ListFile is the name of the tier's reviewed list, which its lock is resolved from.
func (t Tier) ListFile() string { return string(t) + ".in" }

// Set is everything that a base image is made from.
type Set struct {
	Debian Debian
	Python map[Tier]Packages
	Tools  Tools
	// Alpine is the image that the Alpine base is made from; zero for none.
	Alpine Image
}

// The TOML files are named by pattern: there may be no sources.
//
//go:embed debian12.json alpine.json *.lock.txt *.toml *.in
var committed embed.FS

// Files returns the files that are committed with this library: the locks, and
// the lists that a person writes and package resolve makes them from.
func Files() fs.FS { return committed }

// Default returns the locks that are committed with this library. Callers must
// not change what it points to.
var Default = sync.OnceValues(func() (*Set, error) { return ReadSet(committed) })

// ReadSet parses a set of locks from the root of fsys, and checks that each tier
// contains the one below with the same versions. All errors are reported.
func ReadSet(fsys fs.FS) (*Set, error) {
	set := &Set{Python: map[Tier]Packages{}}
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
	if _, err := fs.Stat(fsys, AlpineFile); err == nil {
		read(AlpineFile, func(b []byte) (err error) { set.Alpine, err = ParseImage(AlpineFile, b); return })
	}
	for _, t := range Tiers() {
		var err error
		set.Python[t], err = Read(fsys, t.LockFile())
		errs = append(errs, err)
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
		if _, err := s.Python[t].Requirements.Without(s.Python[lower].Requirements); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", t.LockFile(), err))
		}
		for _, r := range s.Python[lower].Requirements {
			if !slices.ContainsFunc(s.Python[t].Requirements, func(own Requirement) bool { return own.Name == r.Name }) {
				errs = append(errs, fmt.Errorf("%s: %s is in %s and missing here", t.LockFile(), r.Name, lower.LockFile()))
			}
		}
	}
	return errors.Join(errs...)
}

// Own returns the packages that a tier adds on a target to the tier below it.
func (s *Set) Own(t Tier, target string) (Requirements, error) {
	i := slices.Index(Tiers(), t)
	switch {
	case i < 0:
		return nil, fmt.Errorf("unknown tier %q", t)
	case i == 0:
		return s.Python[t].For(target), nil
	}
	return s.Python[t].For(target).Without(s.Python[Tiers()[i-1]].For(target))
}

// Files returns the set's committed form, by file name.
func (s *Set) Files() map[string][]byte {
	files := map[string][]byte{DebianFile: s.Debian.Format(), ToolsFile: s.Tools.Format()}
	if s.Alpine.Digest != "" {
		files[AlpineFile] = s.Alpine.Format()
	}
	for t, packages := range s.Python {
		for name, data := range packages.Files(t.LockFile(), header) {
			files[name] = data
		}
	}
	return files
}

const header = "# Written by \"lucidbase lock\"; edit the .in file instead.\n"

// Digest identifies what an image of a tier and further packages is made from,
// "sha256:" and 64 hexadecimal digits. The tools are not part of it: they leave
// no trace.
func (s *Set) Digest(t Tier, further Packages) string {
	return digestOf(append([][]byte{s.Debian.Format()}, s.pythonParts(t, further)...))
}

// pythonParts are what a tier and further packages are made from.
func (s *Set) pythonParts(t Tier, further Packages) [][]byte {
	var parts [][]byte
	for _, p := range []Packages{s.Python[t], further} {
		parts = append(parts, p.Requirements.Format(), p.FormatTOML())
	}
	return parts
}

func digestOf(parts [][]byte) string {
	h := sha256.New()
	for _, part := range parts {
		fmt.Fprintf(h, "%d\n", len(part))
		h.Write(part)
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil))
}
