package lock

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io/fs"
	"slices"
	"sync"
	"sync/atomic"
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
	// DevFile is there only in a set that has twins for build stages and debugging.
	DevFile = "debian12-dev.json"
)

// LockFile returns the name of the tier's lock.
func (t Tier) LockFile() string { return string(t) + ".lock.txt" }

// ListFile returns the name of the tier's reviewed list, which its lock is resolved from.
func (t Tier) ListFile() string { return string(t) + ".in" }

// Set is everything that a base image is made from.
type Set struct {
	Debian Debian
	Python map[Tier]Packages
	Tools  Tools
	// Alpine is the image that the Alpine base is made from; zero for none.
	Alpine Upstream
	// Dev is what the twins for build stages and debugging have besides; zero for none.
	// It is no part of Digest: no other image has it.
	Dev System
}

// The TOML files are named by pattern: there may be no sources.
//
//go:embed debian12*.json alpine.json *.lock.txt *.toml *.in
var committed embed.FS

// Files returns the files that are committed with this library: the locks, and
// the lists that a person writes and package resolve makes them from.
func Files() fs.FS { return committed }

// Default returns the locks that are committed with this library. Callers must
// not change what it points to.
var Default = sync.OnceValues(func() (*Set, error) {
	set, err := ReadSet(committed)
	shared.Store(set)
	return set, err
})

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
		read(AlpineFile, func(b []byte) (err error) { set.Alpine, err = ParseUpstream(AlpineFile, b); return })
	}
	if _, err := fs.Stat(fsys, DevFile); err == nil {
		read(DevFile, func(b []byte) (err error) { set.Dev, err = ParseSystem(DevFile, b); return })
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
	if !s.Dev.IsZero() {
		files[DevFile] = s.Dev.Format()
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
	h, err := s.formatted().image(t).Clone()
	if err != nil {
		panic(err) // a SHA-256 always can
	}
	return sum(h, further.parts())
}

// TierDigest returns the digest of a tier's packages: Packages.Digest.
func (s *Set) TierDigest(t Tier) string { return s.formatted().tier(t).digest }

// formatted is a set's text, which digests are made of.
type formatted struct {
	// image returns a hash that has read what an image of a tier is made from.
	image func(Tier) hash.Cloner
	tier  func(Tier) tierText
}

// tierText is the text of a tier's lock, and its digest.
type tierText struct {
	parts  [][]byte
	digest string
}

func (s *Set) imageHash(t Tier) hash.Cloner {
	h := sha256.New()
	sum(h, append([][]byte{s.Debian.Format()}, s.Python[t].parts()...))
	return h.(hash.Cloner)
}

func (s *Set) tierText(t Tier) tierText {
	parts := s.Python[t].parts()
	return tierText{parts, digestOf(parts)}
}

// formatted returns the text of a set. That of Default is made once: nobody changes it,
// and each graph has its digest.
func (s *Set) formatted() formatted {
	if s == shared.Load() {
		return committedText()
	}
	return formatted{s.imageHash, s.tierText}
}

// shared is what Default returned.
var shared atomic.Pointer[Set]

var committedText = sync.OnceValue(func() formatted {
	set := shared.Load()
	images, tiers := map[Tier]hash.Cloner{}, map[Tier]tierText{}
	for _, t := range append(Tiers(), Bare) {
		images[t], tiers[t] = set.imageHash(t), set.tierText(t)
	}
	return formatted{func(t Tier) hash.Cloner { return images[t] }, func(t Tier) tierText { return tiers[t] }}
})

// pythonParts are what a tier and further packages are made from.
func (s *Set) pythonParts(t Tier, further Packages) [][]byte {
	return slices.Concat(s.formatted().tier(t).parts, further.parts())
}

// parts are a lock's two texts.
func (p Packages) parts() [][]byte { return [][]byte{p.Requirements.Format(), p.FormatTOML()} }

func digestOf(parts [][]byte) string { return sum(sha256.New(), parts) }

// sum returns the digest of what a hash has read and of further parts.
func sum(h hash.Hash, parts [][]byte) string {
	for _, part := range parts {
		fmt.Fprintf(h, "%d\n", len(part))
		h.Write(part)
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil))
}
