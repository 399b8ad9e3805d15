package lock

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"

	"github.com/lucid-project/base-images/internal/names"
)

// System is the lock of Debian packages that a service has besides those of its base,
// and of all that these need. The zero value holds none.
type System struct {
	// Packages are the names that were asked for, sorted.
	Packages []string `json:"packages"`
	// Suites are the signed indexes that the packages were chosen from.
	Suites []Suite `json:"suites"`
	// Platforms maps an OCI platform ("linux/amd64") to what is added there.
	Platforms map[string]SystemPlatform `json:"platforms"`
}

// SystemPlatform is what is added on one platform.
type SystemPlatform struct {
	// Base is the digest of the base's first layer, with whose packages these were
	// chosen: DebianPlatform.Rootfs.
	Base string `json:"base"`
	// Added is the layer; zero where the base has everything.
	Added Layer `json:"added,omitzero"`
}

// ErrOldSystem says that Debian packages were locked with others of the base than it has:
// which they need, and in which versions, may be different.
var ErrOldSystem = errors.New("locked with another version of the base than this one: lock them again")

// SystemSuffix is what the name of such a lock ends with: "gateway.system.lock.json".
const SystemSuffix = ".system.lock.json"

// IsZero reports whether nothing was asked for.
func (s System) IsZero() bool { return len(s.Packages) == 0 }

// ReadSystem reads a lock that "lucidbase lock" wrote.
func ReadSystem(fsys fs.FS, name string) (System, error) {
	data, err := fs.ReadFile(fsys, name)
	if err != nil {
		return System{}, err
	}
	return ParseSystem(path.Base(name), data)
}

// ParseSystem reads a lock that System.Format wrote. name is what errors call the file;
// each names the line and, where there is one, the package.
func ParseSystem(name string, data []byte) (System, error) { return parseJSON[System](name, data) }

// Format returns the lock's committed form; equal locks have equal bytes.
func (s System) Format() []byte { return formatJSON(s) }

// DigestWith identifies what an image is made from that has these packages besides what
// a digest such as Set.Digest's stands for. That is the result where there are none.
func (s System) DigestWith(digest string) string {
	if s.IsZero() {
		return digest
	}
	return digestOf([][]byte{[]byte(digest), s.Format()})
}

func (s System) check(bad reportFunc) {
	if len(s.Packages) == 0 {
		bad("", "no packages")
	}
	for i, name := range s.Packages {
		at := fmt.Sprintf("/packages/%d", i)
		if !names.Debian.MatchString(name) {
			bad(at, "%q: not a Debian package name", name)
		}
		if i > 0 && s.Packages[i-1] >= name {
			bad(at, "%s: listed twice or not in order", name)
		}
	}
	archives := checkSuites(s.Suites, bad)
	if len(s.Platforms) == 0 {
		bad("", "no platforms")
	}
	for _, platform := range slices.Sorted(maps.Keys(s.Platforms)) {
		p, at := s.Platforms[platform], "/platforms/"+platform
		if !sha256Digest.MatchString(p.Base) {
			bad(at+"/base", "%s: base %q is not a SHA-256 digest", platform, p.Base)
		}
		if !p.Added.isZero() {
			p.Added.check(platform+" added", archives, inside(at+"/added", bad))
		}
	}
}
