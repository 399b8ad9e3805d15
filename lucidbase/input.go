package lucidbase

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/moby/buildkit/client/llb"
	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/lucid-project/base-images/llbutil"
	"github.com/lucid-project/base-images/lucidbase/lock"
)

// InputKind says how a layer is made from its packages.
type InputKind string

const (
	// Rootfs is a whole root filesystem.
	Rootfs InputKind = "rootfs"
	// Builder is the packages' files alone.
	Builder InputKind = "builder"
	// Headers is what is compiled against: headers, archives of libraries, and the
	// interpreter's configuration, each package's in a directory of its name.
	Headers InputKind = "headers"
	// ImageRootfs is a root filesystem made from an upstream image: its
	// interpreter, and what that needs.
	ImageRootfs InputKind = "image-rootfs"
	// ImageHeaders is what a compiler needs for the interpreter of an upstream
	// image: pyconfig.h and the module of sysconfig data, where the image has them.
	ImageHeaders InputKind = "image-headers"
)

// Input is a layer that a graph names by digest and the client supplies: Debian
// packages unpacked to one tar, or files of an upstream image. Its digest is in
// the lock, so that a graph can name it before anybody made it.
type Input struct {
	Kind     InputKind
	Platform ocispecs.Platform
	Layer    lock.Layer
	// Suites say when the packages were in the archive.
	Suites []lock.Suite
	// Source is the upstream image of an ImageRootfs or ImageHeaders.
	Source lock.Image
}

// Inputs gives the root filesystem and the builder's layer of a platform.
func Inputs(d lock.Debian, p ocispecs.Platform) (rootfs, builder Input) {
	locked := d.Platforms[FormatPlatform(p)]
	return Input{Kind: Rootfs, Platform: p, Layer: locked.Rootfs, Suites: d.Suites},
		Input{Kind: Builder, Platform: p, Layer: locked.Builder, Suites: d.Suites}
}

// HeadersInput gives what sources are compiled against for a platform.
func HeadersInput(d lock.Debian, p ocispecs.Platform) (Input, error) {
	platform := FormatPlatform(p)
	headers := d.Platforms[platform].Headers
	if headers.Digest == "" {
		return Input{}, fmt.Errorf("%s: no headers are locked for %s, and a source has to be compiled", lock.DebianFile, platform)
	}
	return Input{Kind: Headers, Platform: p, Layer: headers, Suites: d.Suites}, nil
}

// State is the layer as a build's source.
func (in Input) State() llb.State {
	_, _, manifest := in.Image()
	return llbutil.StoredImage(string(in.Kind), manifest, in.Platform)
}

// Image gives the image that has this layer alone, in the form in which an
// engine reads it: config and manifest, with the manifest's digest.
func (in Input) Image() (config, manifest []byte, manifestDigest digest.Digest) {
	layer := ocispecs.Descriptor{
		MediaType: ocispecs.MediaTypeImageLayer,
		Digest:    digest.Digest(in.Layer.Digest),
		Size:      in.Layer.Size,
	}
	config = marshal(ocispecs.Image{
		Platform: in.Platform,
		RootFS:   ocispecs.RootFS{Type: "layers", DiffIDs: []digest.Digest{layer.Digest}},
	})
	manifest = marshal(ocispecs.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2},
		MediaType: ocispecs.MediaTypeImageManifest,
		Config: ocispecs.Descriptor{
			MediaType: ocispecs.MediaTypeImageConfig,
			Digest:    digest.FromBytes(config),
			Size:      int64(len(config)),
		},
		Layers: []ocispecs.Descriptor{layer},
	})
	return config, manifest, digest.FromBytes(manifest)
}

func marshal(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // OCI structs of strings and numbers always encode
	}
	return b
}

// String names the input in errors and on the display.
func (in Input) String() string { return string(in.Kind) + " " + FormatPlatform(in.Platform) }

// PythonVersion gives the full version of a platform's interpreter, which
// markers such as python_full_version ask for.
func PythonVersion(d lock.Debian, p ocispecs.Platform) (string, error) {
	platform := FormatPlatform(p)
	pkg, ok := d.Platforms[platform].Rootfs.Find("python3.11-minimal")
	if !ok {
		return "", fmt.Errorf("%s: python3.11-minimal is not locked for %s", lock.DebianFile, platform)
	}
	upstream, _, _ := strings.Cut(pkg.Version, "-")
	return upstream, nil
}
