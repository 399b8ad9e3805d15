package engine

import (
	"errors"
	"fmt"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/lucid-project/base-images/lucidbase"
)

// Job is one image to build.
type Job struct {
	// Spec says what is built.
	Spec lucidbase.Spec
	// Platforms the image is for; none means lucidbase.AllPlatforms.
	Platforms []ocispecs.Platform
	// To says where the image goes, such as Push or Layout.
	To Destination
	// Also are further places that the image goes to. What is pushed comes last.
	Also []Destination
	// NoCache runs every step again.
	NoCache bool
	// Compression of the layers: Gzip (the default) or Zstd.
	Compression Compression
}

// Compression is how layers are compressed.
type Compression string

// The compressions. Both are fixed: the same layer becomes the same bytes on every
// machine.
const (
	Gzip Compression = "gzip"
	Zstd Compression = "zstd"
)

// Result is an image that was built and has arrived where it was sent.
type Result struct {
	// Ref is the image by name, tag and digest: "NAME:TAG@sha256:...".
	Ref string
	// Name is the image by name and tag.
	Name string
	// Tags are the image's: that of Name, those of its Destination, then those of the
	// series that have moved.
	Tags []string
	// Digest is that of the index.
	Digest string
	// Platforms are sorted as the index names them.
	Platforms []PlatformResult
	// Index is the image itself, read from the engine's cache directory, also after
	// the engine is closed.
	Index v1.ImageIndex
}

// PlatformResult is one platform's image.
type PlatformResult struct {
	Platform ocispecs.Platform
	// Digest is that of the manifest.
	Digest string
	// Size is the number of compressed bytes of all layers.
	Size int64
}

// destinations are all places that the image goes to.
func (j Job) destinations() []Destination { return append([]Destination{j.To}, j.Also...) }

// check reports every wrong field of a job and fills in defaults.
func (j Job) check() (Job, error) {
	var errs []error
	if j.Spec == nil {
		errs = append(errs, errors.New("Spec: missing"))
	}
	var err error
	if j.To, err = j.To.check(); err != nil {
		errs = append(errs, err)
	}
	j.Also = slices.Clone(j.Also)
	for i := range j.Also {
		if j.Also[i], err = j.Also[i].check(); err != nil {
			errs = append(errs, err)
		}
	}
	if len(j.Platforms) == 0 {
		j.Platforms = lucidbase.AllPlatforms()
	}
	seen := map[string]bool{}
	var platforms []ocispecs.Platform
	for _, p := range j.Platforms {
		p, err := lucidbase.ParsePlatform(lucidbase.FormatPlatform(p))
		if err != nil {
			errs = append(errs, fmt.Errorf("Platforms: %w", err))
		}
		if name := lucidbase.FormatPlatform(p); !seen[name] {
			seen[name] = true
			platforms = append(platforms, p)
		}
	}
	j.Platforms = platforms
	switch j.Compression {
	case "":
		j.Compression = Gzip
	case Gzip, Zstd:
	default:
		errs = append(errs, fmt.Errorf("Compression: %q is not gzip or zstd", j.Compression))
	}
	return j, errors.Join(errs...)
}
