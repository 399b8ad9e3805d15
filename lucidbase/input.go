package lucidbase

import (
	"encoding/json"

	"github.com/moby/buildkit/client/llb"
	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/lucid-project/base-images/llbutil"
	"github.com/lucid-project/base-images/lucidbase/lock"
)

// InputKind says how a layer is made from its packages.
type InputKind string

// Input is a layer that a graph names by digest and the client supplies: Debian
// packages unpacked to one tar, or files of an upstream image. Its digest is in
// the lock, so that a graph can name it before anybody made it.
type Input struct {
	Kind     InputKind
	Platform ocispecs.Platform
	Layer    lock.Layer
	// Suites say when the packages were in the archive.
	Suites []lock.Suite
	// Upstream is the image that the layer is made from; zero for packages alone.
	Upstream lock.Upstream
}

// State is the layer as a build's source.
func (in Input) State() llb.State {
	_, _, manifest := in.Image()
	return llbutil.StoredImage(string(in.Kind), manifest, in.Platform)
}

// Image returns the image that has this layer alone, in the form in which an
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
