package image

import (
	"bytes"
	"fmt"
	"io"
	"os"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/opencontainers/go-digest"
)

// platformImage implements v1.Image.
type platformImage struct {
	raw, rawConfig []byte
	manifest       *v1.Manifest
	config         *v1.ConfigFile
	layers         []v1.Layer
}

func (s *Store) openPlatform(d digest.Digest) (*platformImage, error) {
	raw, err := s.readBlob(d)
	if err != nil {
		return nil, err
	}
	img := &platformImage{raw: raw}
	if img.manifest, err = v1.ParseManifest(bytes.NewReader(raw)); err != nil {
		return nil, fmt.Errorf("parsing manifest %s: %w", d, err)
	}
	configDigest := digest.Digest(img.manifest.Config.Digest.String())
	if img.rawConfig, err = s.readBlob(configDigest); err != nil {
		return nil, err
	}
	if img.config, err = v1.ParseConfigFile(bytes.NewReader(img.rawConfig)); err != nil {
		return nil, fmt.Errorf("parsing config %s: %w", configDigest, err)
	}
	if len(img.manifest.Layers) != len(img.config.RootFS.DiffIDs) {
		return nil, fmt.Errorf("manifest %s: %d layers, but %d in its config", d, len(img.manifest.Layers), len(img.config.RootFS.DiffIDs))
	}
	for i, desc := range img.manifest.Layers {
		img.layers = append(img.layers, &layer{store: s, desc: desc, diffID: img.config.RootFS.DiffIDs[i]})
	}
	return img, nil
}

func (i *platformImage) MediaType() (types.MediaType, error) { return i.manifest.MediaType, nil }
func (i *platformImage) Digest() (v1.Hash, error)            { return hash(i.raw), nil }
func (i *platformImage) Size() (int64, error)                { return int64(len(i.raw)), nil }
func (i *platformImage) Manifest() (*v1.Manifest, error)     { return i.manifest.DeepCopy(), nil }
func (i *platformImage) RawManifest() ([]byte, error)        { return bytes.Clone(i.raw), nil }
func (i *platformImage) ConfigName() (v1.Hash, error)        { return hash(i.rawConfig), nil }
func (i *platformImage) ConfigFile() (*v1.ConfigFile, error) { return i.config.DeepCopy(), nil }
func (i *platformImage) RawConfigFile() ([]byte, error)      { return bytes.Clone(i.rawConfig), nil }
func (i *platformImage) Layers() ([]v1.Layer, error)         { return i.layers, nil }
func (i *platformImage) LayerByDiffID(h v1.Hash) (v1.Layer, error) {
	return i.find(h, func(l *layer) v1.Hash { return l.diffID })
}

// LayerByDigest finds the config as well, as v1.Image wants.
func (i *platformImage) LayerByDigest(h v1.Hash) (v1.Layer, error) {
	if h == i.manifest.Config.Digest {
		return partial.ConfigLayer(i)
	}
	return i.find(h, func(l *layer) v1.Hash { return l.desc.Digest })
}

func (i *platformImage) find(h v1.Hash, key func(*layer) v1.Hash) (v1.Layer, error) {
	for _, l := range i.layers {
		if key(l.(*layer)) == h {
			return l, nil
		}
	}
	return nil, notFound("layer", h)
}

// layer implements v1.Layer.
type layer struct {
	store  *Store
	desc   v1.Descriptor
	diffID v1.Hash
}

func (l *layer) Digest() (v1.Hash, error)            { return l.desc.Digest, nil }
func (l *layer) DiffID() (v1.Hash, error)            { return l.diffID, nil }
func (l *layer) Size() (int64, error)                { return l.desc.Size, nil }
func (l *layer) MediaType() (types.MediaType, error) { return l.desc.MediaType, nil }
func (l *layer) Descriptor() (*v1.Descriptor, error) { return l.desc.DeepCopy(), nil }
func (l *layer) Compressed() (io.ReadCloser, error)  { return l.open(l.desc.Digest) }
func (l *layer) Exists() (bool, error) {
	err := l.store.check(descriptor(l.desc))
	return err == nil, err
}

// Uncompressed decompresses only where the uncompressed layer was dropped.
func (l *layer) Uncompressed() (io.ReadCloser, error) {
	if f, err := l.open(l.diffID); err == nil {
		return f, nil
	}
	cl, err := partial.CompressedToLayer(l)
	if err != nil {
		return nil, err
	}
	return cl.Uncompressed()
}

// lost is that the layer's blob is missing or damaged.
func (l *layer) lost(err error) error {
	return l.store.damaged(digest.Digest(l.desc.Digest.String()), err)
}

func (l *layer) open(h v1.Hash) (io.ReadCloser, error) {
	return os.Open(l.store.path(digest.Digest(h.String())))
}
