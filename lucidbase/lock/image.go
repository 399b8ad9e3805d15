package lock

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"

	"github.com/lucid-project/base-images/internal/lines"
	"github.com/lucid-project/base-images/internal/names"
)

// Image is the lock of an upstream image that a base is made from.
type Image struct {
	// Reference names the image with its registry, repository and tag, such as
	// "docker.io/library/python:3.11-alpine3.23". The tag is for people.
	Reference string `json:"reference"`
	// Digest is that of the image's index, "sha256:" and 64 hexadecimal digits.
	Digest string `json:"digest"`
	// Platforms maps an OCI platform ("linux/amd64") to what the image holds
	// there. What is missing follows from Digest and the Debian lock alone and is
	// found out when an image is built.
	Platforms map[string]ImagePlatform `json:"platforms,omitempty"`
}

// ImagePlatform is what an upstream image holds on one platform.
type ImagePlatform struct {
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
}

// ApkPackage is an entry of Alpine's package database.
type ApkPackage struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// ParseImage reads a lock that Image.Format wrote. name is what errors call the
// file; each names the line and, where there is one, the platform.
func ParseImage(name string, data []byte) (Image, error) {
	var im Image
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&im); err != nil {
		return Image{}, fmt.Errorf("parsing %s: line %d: %w", name, lines.At(data, jsonOffset(data, err, dec)), err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return Image{}, fmt.Errorf("parsing %s: line %d: text after the lock's end", name, lines.At(data, dec.InputOffset()))
	}
	r := &lines.Report{Name: name}
	im.check(func(at, format string, args ...any) { r.Bad(lines.OfValue(data, at), format, args...) })
	if err := r.Err(); err != nil {
		return Image{}, err
	}
	return im, nil
}

// Format returns the lock's committed form; equal locks give equal bytes.
func (im Image) Format() []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	if err := enc.Encode(im); err != nil {
		panic(err) // strings and numbers always encode
	}
	return b.Bytes()
}

// Pin returns the lock without what follows from it.
func (im Image) Pin() Image { return Image{Reference: im.Reference, Digest: im.Digest} }

// ImageDigest identifies what an image of a tier and further packages is made from
// that stands on an upstream image, as Digest does for Debian's. The platforms that
// a lock names already make no difference.
func (s *Set) ImageDigest(p ImagePlatform, t Tier, further Packages) string {
	parts := [][]byte{s.Alpine.Pin().Format(), []byte(p.Manifest), []byte(p.Rootfs.Digest)}
	return digestOf(append(parts, s.pythonParts(t, further)...))
}

var (
	imageReference = regexp.MustCompile(`^[a-z0-9.-]+(:[0-9]+)?(/[a-z0-9._-]+)+:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$`)
	sha256Digest   = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)
)

func (im Image) check(bad reportFunc) {
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

func (p ImagePlatform) check(platform string, bad reportFunc) {
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
	for i, pkg := range p.Kept {
		at := fmt.Sprintf("/kept/%d", i)
		if pkg.Name == "" || pkg.Version == "" {
			bad(at, "%s: kept package %q: name or version is missing", platform, pkg.Name)
		}
		if i > 0 && p.Kept[i-1].Name >= pkg.Name {
			bad(at, "%s: kept package %s: listed twice or not in order", platform, pkg.Name)
		}
	}
}
