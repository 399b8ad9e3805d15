// Package v1image implements go-containerregistry's interfaces over manifests and
// configs that were read and checked, and blobs that are opened when they are read.
// Unlike its own implementations these decompress no layer to learn its diff ID: it is
// the config's.
package v1image

import (
	"bytes"
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Image implements v1.Image.
type Image struct {
	raw, rawConfig []byte
	manifest       *v1.Manifest
	config         *v1.ConfigFile
	layers         []v1.Layer
}

// New returns the image with a manifest and a config. layer makes its layers; one that
// the config has no diff ID for has the zero one.
func New(manifest, config []byte, layer func(desc v1.Descriptor, diffID v1.Hash) v1.Layer) (*Image, error) {
	i := &Image{raw: manifest, rawConfig: config}
	var err error
	if i.manifest, err = v1.ParseManifest(bytes.NewReader(manifest)); err != nil {
		return nil, fmt.Errorf("parsing manifest %s: %w", Hash(manifest), err)
	}
	if i.config, err = v1.ParseConfigFile(bytes.NewReader(config)); err != nil {
		return nil, fmt.Errorf("parsing config %s: %w", Hash(config), err)
	}
	for n, desc := range i.manifest.Layers {
		var diffID v1.Hash
		if n < len(i.config.RootFS.DiffIDs) {
			diffID = i.config.RootFS.DiffIDs[n]
		}
		i.layers = append(i.layers, layer(desc, diffID))
	}
	return i, nil
}

// Artifact returns a v1.Image that has a manifest and nothing else: its config is
// not an image's.
func Artifact(manifest []byte) (*Image, error) {
	m, err := v1.ParseManifest(bytes.NewReader(manifest))
	if err != nil {
		return nil, fmt.Errorf("parsing manifest %s: %w", Hash(manifest), err)
	}
	return &Image{raw: manifest, manifest: m}, nil
}

// MediaType implements v1.Image, as do the other methods.
func (i *Image) MediaType() (types.MediaType, error) { return i.manifest.MediaType, nil }

func (i *Image) Digest() (v1.Hash, error)            { return Hash(i.raw), nil }
func (i *Image) Size() (int64, error)                { return int64(len(i.raw)), nil }
func (i *Image) Manifest() (*v1.Manifest, error)     { return i.manifest.DeepCopy(), nil }
func (i *Image) RawManifest() ([]byte, error)        { return bytes.Clone(i.raw), nil }
func (i *Image) ConfigName() (v1.Hash, error)        { return i.manifest.Config.Digest, nil }
func (i *Image) ConfigFile() (*v1.ConfigFile, error) { return i.config.DeepCopy(), nil }
func (i *Image) RawConfigFile() ([]byte, error)      { return bytes.Clone(i.rawConfig), nil }
func (i *Image) Layers() ([]v1.Layer, error)         { return i.layers, nil }
func (i *Image) LayerByDiffID(h v1.Hash) (v1.Layer, error) {
	return i.find(h, v1.Layer.DiffID)
}

// LayerByDigest finds the config as well, as v1.Image wants.
func (i *Image) LayerByDigest(h v1.Hash) (v1.Layer, error) {
	if h == i.manifest.Config.Digest {
		return partial.ConfigLayer(i)
	}
	return i.find(h, v1.Layer.Digest)
}

func (i *Image) find(h v1.Hash, key func(v1.Layer) (v1.Hash, error)) (v1.Layer, error) {
	for _, l := range i.layers {
		if got, err := key(l); err == nil && got == h {
			return l, nil
		}
	}
	return nil, notFound("layer", h)
}

// Hash returns the SHA-256 of data.
func Hash(data []byte) v1.Hash {
	h, _, err := v1.SHA256(bytes.NewReader(data))
	if err != nil {
		panic(err) // a bytes.Reader has no errors
	}
	return h
}

func notFound(what string, h v1.Hash) error { return fmt.Errorf("%s %s: not in the image", what, h) }
