package image

import (
	"fmt"
	"io"
	"os"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/opencontainers/go-digest"

	"github.com/lucid-project/base-images/internal/v1image"
)

func (s *Store) openPlatform(d digest.Digest) (*v1image.Image, error) {
	raw, err := s.readBlob(d)
	if err != nil {
		return nil, err
	}
	artifact, err := v1image.Artifact(raw)
	if err != nil {
		return nil, err
	}
	configDigest, err := artifact.ConfigName()
	if err != nil {
		return nil, err
	}
	config, err := s.readBlob(digest.Digest(configDigest.String()))
	if err != nil {
		return nil, err
	}
	img, err := v1image.New(raw, config, func(desc v1.Descriptor, diffID v1.Hash) v1.Layer {
		return &layer{v1image.NewLayer(opener{s}, desc, diffID), s}
	})
	if err != nil {
		return nil, err
	}
	m, err := img.Manifest()
	if err != nil {
		return nil, err
	}
	c, err := img.ConfigFile()
	if err != nil {
		return nil, err
	}
	if len(m.Layers) != len(c.RootFS.DiffIDs) {
		return nil, fmt.Errorf("manifest %s: %d layers, but %d in its config", d, len(m.Layers), len(c.RootFS.DiffIDs))
	}
	return img, nil
}

// opener opens blobs of a store, which were hashed when they were written.
type opener struct{ *Store }

func (o opener) Blob(desc v1.Descriptor) (io.ReadCloser, error) { return o.openBlob(desc.Digest) }

func (s *Store) openBlob(h v1.Hash) (io.ReadCloser, error) {
	return os.Open(s.path(digest.Digest(h.String())))
}

// layer is one of a store.
type layer struct {
	*v1image.Layer
	store *Store
}

// Uncompressed decompresses only where the uncompressed layer was dropped.
func (l *layer) Uncompressed() (io.ReadCloser, error) {
	diffID, err := l.DiffID()
	if err != nil {
		return nil, err
	}
	if f, err := l.store.openBlob(diffID); err == nil {
		return f, nil
	}
	return l.Layer.Uncompressed()
}

func (l *layer) diffID() digest.Digest {
	h, _ := l.DiffID() // the config's, which was read
	return digest.Digest(h.String())
}

// lost is that the layer's blob is missing or damaged.
func (l *layer) lost(err error) error {
	h, _ := l.Digest() // the manifest's, which was read
	return l.store.damaged(digest.Digest(h.String()), err)
}

// members are the images of an index, which has no indexes in it.
type members map[v1.Hash]*v1image.Image

func (m members) Image(desc v1.Descriptor) (v1.Image, error) { return m[desc.Digest], nil }

func (m members) Index(desc v1.Descriptor) (v1.ImageIndex, error) {
	return nil, fmt.Errorf("index %s: an index in an index", desc.Digest)
}
