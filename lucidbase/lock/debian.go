package lock

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/lucid-project/base-images/internal/lines"
	"github.com/lucid-project/base-images/internal/names"
)

// Debian is the lock of one Debian release: which packages each platform is
// made from, where they lie in the archive, and the layers made of them.
type Debian struct {
	// Suites are the signed indexes that the packages were chosen from.
	Suites []Suite `json:"suites"`
	// Platforms maps an OCI platform ("linux/amd64") to its layers.
	Platforms map[string]DebianPlatform `json:"platforms"`
}

// Suite is a signed index of a Debian archive at one moment.
type Suite struct {
	// Archive is the archive's name, as its mirrors serve it: "debian" or
	// "debian-security".
	Archive string `json:"archive"`
	// Name is the suite's directory below dists/, such as "bookworm-updates".
	Name string `json:"suite"`
	// Date is the index's own Date field, in UTC.
	Date time.Time `json:"date"`
	// Key is the fingerprint of the primary key that signed the index, 40
	// upper-case hexadecimal digits.
	Key string `json:"key"`
}

// DebianPlatform is what one platform's images and stages are made from.
type DebianPlatform struct {
	// Rootfs is the images' first layer.
	Rootfs Layer `json:"rootfs"`
	// Builder is what a stage that runs on this platform has besides: pip, to
	// install uv with, and a shell and make for the builds of sources. It is in no
	// image.
	Builder Layer `json:"builder"`
	// Headers is what a source is compiled against for this platform: the headers
	// of Python and of libraries, and these as archives. It is in no image, and
	// zero in a lock that compiles nothing.
	Headers Layer `json:"headers,omitzero"`
}

// Layer is an uncompressed OCI layer and the packages that it is made of.
type Layer struct {
	// Digest is the layer's diff ID, "sha256:" and 64 hexadecimal digits.
	Digest string `json:"digest"`
	// Size is the length of the layer's tar in bytes.
	Size int64 `json:"size"`
	// Packages are sorted by name.
	Packages []Package `json:"packages"`
	// LeftOut are files of these packages that the layer does not have, by their absolute
	// paths in order, as they could not be used.
	LeftOut []string `json:"left_out,omitempty"`
}

// Package is one binary package file of a Debian archive.
type Package struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	// Archive is the archive that holds the file, one of the suites' archives.
	Archive string `json:"archive"`
	// Path is relative to the archive's root, as in the index's Filename field.
	Path string `json:"path"`
	// Size is the file's length in bytes.
	Size int64 `json:"size"`
	// SHA256 is the file's hash, 64 lower-case hexadecimal digits.
	SHA256 string `json:"sha256"`
}

// Find returns the package of that name.
func (l Layer) Find(name string) (Package, bool) {
	for _, p := range l.Packages {
		if p.Name == name {
			return p, true
		}
	}
	return Package{}, false
}

// ParseDebian reads a lock that Debian.Format wrote. name is what errors call
// the file; each names the line and, where there is one, the package.
func ParseDebian(name string, data []byte) (Debian, error) { return parseJSON[Debian](name, data) }

// Format returns the lock's committed form; equal locks have equal bytes.
func (d Debian) Format() []byte { return formatJSON(d) }

var fingerprint = regexp.MustCompile(`^[0-9A-F]{40}$`)

// reportFunc takes an error and the path of the JSON value that it is about.
type reportFunc func(at, format string, args ...any)

func (d Debian) check(bad reportFunc) {
	archives := checkSuites(d.Suites, bad)
	if len(d.Platforms) == 0 {
		bad("", "no platforms")
	}
	for _, platform := range slices.Sorted(maps.Keys(d.Platforms)) {
		p := d.Platforms[platform]
		at := "/platforms/" + platform
		p.Rootfs.check(platform+" rootfs", archives, inside(at+"/rootfs", bad))
		p.Builder.check(platform+" builder", archives, inside(at+"/builder", bad))
		if !p.Headers.isZero() {
			p.Headers.check(platform+" headers", archives, inside(at+"/headers", bad))
		}
	}
}

// checkSuites reports what is wrong with suites, and returns their archives.
func checkSuites(suites []Suite, bad reportFunc) map[string]bool {
	if len(suites) == 0 {
		bad("", "no suites")
	}
	archives := map[string]bool{}
	for i, s := range suites {
		archives[s.Archive] = true
		at := fmt.Sprintf("/suites/%d", i)
		if !names.Suite.MatchString(s.Archive) || !names.Suite.MatchString(s.Name) {
			bad(at+"/suite", "suite %q of archive %q: not a name", s.Name, s.Archive)
		}
		if s.Date.IsZero() || s.Date.Location() != time.UTC {
			bad(at+"/date", "suite %s: no date in UTC", s.Name)
		}
		if !fingerprint.MatchString(s.Key) {
			bad(at+"/key", "suite %s: key %q is not a fingerprint of 40 hexadecimal digits", s.Name, s.Key)
		}
	}
	return archives
}

// inside reports for a value that lies at the path outer.
func inside(outer string, bad reportFunc) reportFunc {
	return func(at, format string, args ...any) { bad(outer+at, format, args...) }
}

func (l Layer) isZero() bool { return l.Digest == "" && l.Size == 0 && len(l.Packages) == 0 }

func (l Layer) check(where string, archives map[string]bool, bad reportFunc) {
	if hash, ok := strings.CutPrefix(l.Digest, "sha256:"); !ok || !isSHA256(hash) {
		bad("/digest", "%s: digest %q is not a SHA-256 digest", where, l.Digest)
	}
	if l.Size <= 0 {
		bad("/size", "%s: size %d is not positive", where, l.Size)
	}
	for i, name := range l.LeftOut {
		if !path.IsAbs(name) || path.Clean(name) != name || i > 0 && l.LeftOut[i-1] >= name {
			bad(fmt.Sprintf("/left_out/%d", i), "%s: left out %q: not a clean absolute path, listed twice or not in order", where, name)
		}
	}
	for i, p := range l.Packages {
		at := fmt.Sprintf("/packages/%d", i)
		p.check(where+": package "+p.Name, archives, inside(at, bad))
		if i > 0 && l.Packages[i-1].Name >= p.Name {
			bad(at+"/name", "%s: package %s: listed twice or not in order", where, p.Name)
		}
	}
}

func (p Package) check(where string, archives map[string]bool, bad reportFunc) {
	if !names.Debian.MatchString(p.Name) {
		bad("/name", "%s: not a Debian package name", where)
	}
	if p.Version == "" {
		bad("/version", "%s: no version", where)
	}
	if !archives[p.Archive] {
		bad("/archive", "%s: archive %q has no suite in this lock", where, p.Archive)
	}
	if !fs.ValidPath(p.Path) || p.Path == "." {
		bad("/path", "%s: path %q is not relative to an archive's root", where, p.Path)
	}
	if p.Size <= 0 {
		bad("/size", "%s: size %d is not positive", where, p.Size)
	}
	if !isSHA256(p.SHA256) {
		bad("/sha256", "%s: sha256 %q is not 64 hexadecimal digits", where, p.SHA256)
	}
}

// jsonOffset returns where an error of the decoder is.
func jsonOffset(data []byte, err error, dec *json.Decoder) int64 {
	var syntax *json.SyntaxError
	var typ *json.UnmarshalTypeError
	var date *time.ParseError
	switch {
	case errors.As(err, &syntax):
		return syntax.Offset
	case errors.As(err, &typ):
		return typ.Offset
	case errors.As(err, &date):
		return int64(bytes.Index(data, []byte(lines.Quoted(date.Value))))
	}
	return dec.InputOffset()
}
