package lock

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
)

// Packages is a complete lock of Python packages: what "lucidbase lock" writes as
// NAME.lock.txt, which pip reads, and NAME.lock.toml beside it. The zero value
// holds none.
type Packages struct {
	// Base is the image whose packages these were resolved with: then they are all
	// packages of an image. Zero means that they are added to those of a tier.
	Base Base
	// Targets are those of WheelTargets that the packages are locked for.
	Targets []string
	// Requirements are sorted by name, each in one version for a target.
	Requirements Requirements
}

// Base names what a lock was resolved with.
type Base struct {
	// Name is the image's, such as "python-base".
	Name string
	// Digest is that of the image's own lock of packages at that time (Packages.Digest).
	Digest string
}

// Digest identifies the lock, "sha256:" and 64 hexadecimal digits.
func (p Packages) Digest() string {
	return digestOf(p.parts())
}

// Beside is the name of the TOML file of a lock: "requirements.lock.toml" for
// "requirements.lock.txt".
func Beside(lockFile string) string {
	return strings.TrimSuffix(strings.TrimSuffix(lockFile, path.Ext(lockFile)), ".lock") + ".lock.toml"
}

// ErrOldLock says that a lock has no TOML file: it was written by an earlier
// version, or by another program.
var ErrOldLock = errors.New("the lock does not say which files are for which platform")

// ErrNoHashes says that a list is no lock: nothing in it has a hash.
var ErrNoHashes = errors.New("a list without hashes, and no lock")

// Read reads a lock from the text file's name. The two files must agree.
func Read(fsys fs.FS, name string) (Packages, error) {
	text, err := fs.ReadFile(fsys, name)
	if err != nil {
		return Packages{}, err
	}
	reqs, err := ParseRequirements(name, text)
	if err != nil {
		if !bytes.Contains(text, []byte("--hash=")) {
			list, now := name, strings.TrimSuffix(name, path.Ext(name))+".lock.txt"
			if short, ok := strings.CutSuffix(name, ".lock.txt"); ok {
				list, now = short+".txt", name
			}
			return Packages{}, fmt.Errorf("%s: %w; \"lucidbase lock -r %s\" writes %s", name, ErrNoHashes, list, now)
		}
		return Packages{}, err
	}
	beside := Beside(name)
	data, err := fs.ReadFile(fsys, beside)
	if errors.Is(err, fs.ErrNotExist) {
		return Packages{}, fmt.Errorf("%s: there is no %s: %w", name, beside, ErrOldLock)
	}
	if err != nil {
		return Packages{}, err
	}
	return joined(name, reqs, data)
}

// ParsePackages reads a lock's text and TOML. name is what errors call the text
// file.
func ParsePackages(name string, text, data []byte) (Packages, error) {
	reqs, err := ParseRequirements(name, text)
	if err != nil {
		return Packages{}, err
	}
	return joined(name, reqs, data)
}

// joined returns what a lock's text and TOML say together.
func joined(name string, reqs Requirements, data []byte) (Packages, error) {
	p, err := parseFiles(Beside(name), data)
	if err != nil {
		return Packages{}, err
	}
	return p, p.join(name, reqs)
}

// join fills in what the text has, and reports what the two say differently.
func (p *Packages) join(name string, reqs Requirements) error {
	var errs []error
	bad := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("%s and %s: %w", name, path.Base(Beside(name)), fmt.Errorf(format, args...)))
	}
	listed := map[string]Requirement{}
	for _, r := range reqs {
		if _, twice := listed[r.String()]; twice {
			bad("%s: listed twice", r)
		}
		listed[r.String()] = r
	}
	for i, r := range p.Requirements {
		in, ok := listed[r.String()]
		if !ok {
			bad("%s is in the second alone", r)
			continue
		}
		delete(listed, r.String())
		for _, hash := range r.files() {
			if !slices.Contains(in.Hashes, "sha256:"+hash) {
				bad("%s: the hash %s is in the second alone", r, hash)
			}
		}
		p.Requirements[i].Marker, p.Requirements[i].Hashes = in.Marker, in.Hashes
	}
	for _, name := range slices.Sorted(maps.Keys(listed)) {
		bad("%s is in the first alone", name)
	}
	return errors.Join(errs...)
}

// files lists the hashes of what is installed or compiled.
func (r Requirement) files() []string {
	var all []string
	for _, w := range r.Wheels {
		all = append(all, w.SHA256)
	}
	if r.Sdist != nil {
		all = append(all, r.Sdist.SHA256)
	}
	return all
}

// For returns the packages that are needed for one of WheelTargets.
func (p Packages) For(target string) Requirements {
	return slices.DeleteFunc(slices.Clone(p.Requirements), func(r Requirement) bool { return !r.Serves(target) })
}

// Files returns the lock's two files, by name: lockFile and the one beside it, each
// with a comment before it.
func (p Packages) Files(lockFile, comment string) map[string][]byte {
	return map[string][]byte{
		lockFile:         append([]byte(comment), p.Requirements.Format()...),
		Beside(lockFile): append([]byte(comment), p.FormatTOML()...),
	}
}
