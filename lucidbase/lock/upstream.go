package lock

import (
	"fmt"
	"maps"
	"regexp"
	"slices"

	"github.com/lucid-project/base-images/internal/names"
)

// Upstream is the lock of an upstream image that a base is made from.
type Upstream struct {
	// Reference names the image with its registry, repository and tag, such as
	// "docker.io/library/python:3.11-alpine3.23". The tag is for people.
	Reference string `json:"reference"`
	// Digest is that of the image's index, "sha256:" and 64 hexadecimal digits.
	Digest string `json:"digest"`
	// Platforms maps an OCI platform ("linux/amd64") to what the image holds
	// there. What is missing follows from Digest and the Debian lock alone and is
	// found out when an image is built.
	Platforms map[string]UpstreamPlatform `json:"platforms,omitempty"`
}

// UpstreamPlatform is what an upstream image holds on one platform.
type UpstreamPlatform struct {
	// Manifest is the digest of the platform's manifest.
	Manifest string `json:"manifest"`
	// Python is the full version of the image's interpreter, such as "3.11.14".
	Python string `json:"python"`
	// Rootfs is the base's first layer: what of the image its interpreter needs.
	// Its packages are Debian's, for what the image lacks.
	Rootfs Layer `json:"rootfs"`
	// Headers is the layer that a compiler needs for this interpreter. It is in no
	// image.
	Headers Layer `json:"headers"`
	// Kept are the image's packages of which Rootfs has files, sorted by name.
	Kept []ApkPackage `json:"kept"`
	// Dev is what the twin for build stages and debugging has besides; zero where the
	// image has no busybox, or no wheel of pip.
	Dev UpstreamDev `json:"dev,omitzero"`
}

// UpstreamDev is what a twin has of an upstream image besides its base.
type UpstreamDev struct {
	// Added is the layer: busybox under all its names, and the wheel of pip.
	Added Layer `json:"added"`
	// Kept are the packages of which Added has files and Rootfs has none, sorted by name.
	Kept []ApkPackage `json:"kept"`
}

// IsZero reports whether there is nothing.
func (d UpstreamDev) IsZero() bool { return d.Added.isZero() && len(d.Kept) == 0 }

// DigestWith identifies what a twin is made from whose base a digest such as
// Set.ImageDigest's stands for.
func (d UpstreamDev) DigestWith(digest string) string {
	return digestOf([][]byte{[]byte(digest), []byte(d.Added.Digest)})
}

// ApkPackage is an entry of Alpine's package database.
type ApkPackage struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// ParseUpstream reads a lock that Upstream.Format wrote. name is what errors call the
// file; each names the line and, where there is one, the platform.
func ParseUpstream(name string, data []byte) (Upstream, error) {
	return parseJSON[Upstream](name, data)
}

// Format returns the lock's committed form; equal locks have equal bytes.
func (im Upstream) Format() []byte { return formatJSON(im) }

// Pin returns the lock without what follows from it.
func (im Upstream) Pin() Upstream { return Upstream{Reference: im.Reference, Digest: im.Digest} }

// UpstreamDigest identifies what an image of a tier and further packages is made from
// that stands on an upstream image, as Digest does for Debian's. The platforms that
// a lock names already make no difference.
func (s *Set) UpstreamDigest(p UpstreamPlatform, t Tier, further Packages) string {
	parts := [][]byte{s.Alpine.Pin().Format(), []byte(p.Manifest), []byte(p.Rootfs.Digest)}
	return digestOf(append(parts, s.pythonParts(t, further)...))
}

var (
	imageReference = regexp.MustCompile(`^[a-z0-9.-]+(:[0-9]+)?(/[a-z0-9._-]+)+:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$`)
	sha256Digest   = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)
)

func (im Upstream) check(bad reportFunc) {
	if !imageReference.MatchString(im.Reference) {
		bad("/reference", "reference %q: not REGISTRY/REPOSITORY:TAG", im.Reference)
	}
	if !sha256Digest.MatchString(im.Digest) {
		bad("/digest", "digest %q is not a SHA-256 digest", im.Digest)
	}
	for _, platform := range slices.Sorted(maps.Keys(im.Platforms)) {
		im.Platforms[platform].check(platform, inside("/platforms/"+platform, bad))
	}
}

func (p UpstreamPlatform) check(platform string, bad reportFunc) {
	if !sha256Digest.MatchString(p.Manifest) {
		bad("/manifest", "%s: manifest %q is not a SHA-256 digest", platform, p.Manifest)
	}
	if !IsPython(p.Python) {
		bad("/python", "%s: python %q is no version of Python %s", platform, p.Python, PythonMinor)
	}
	archives := map[string]bool{}
	for _, pkg := range p.Rootfs.Packages {
		archives[pkg.Archive] = names.Suite.MatchString(pkg.Archive)
	}
	p.Rootfs.check(platform+" rootfs", archives, inside("/rootfs", bad))
	p.Headers.check(platform+" headers", nil, inside("/headers", bad))
	checkKept(p.Kept, platform, bad)
	if !p.Dev.IsZero() {
		p.Dev.Added.check(platform+" dev", nil, inside("/dev/added", bad))
		checkKept(p.Dev.Kept, platform+" dev", inside("/dev", bad))
	}
}

func checkKept(kept []ApkPackage, what string, bad reportFunc) {
	for i, pkg := range kept {
		at := fmt.Sprintf("/kept/%d", i)
		if pkg.Name == "" || pkg.Version == "" {
			bad(at, "%s: kept package %q: name or version is missing", what, pkg.Name)
		}
		if i > 0 && kept[i-1].Name >= pkg.Name {
			bad(at, "%s: kept package %s: listed twice or not in order", what, pkg.Name)
		}
	}
}
