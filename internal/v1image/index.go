package v1image

import (
	"bytes"
	"encoding/json"
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Manifests opens the images and indexes of an index.
type Manifests interface {
	Image(v1.Descriptor) (v1.Image, error)
	Index(v1.Descriptor) (v1.ImageIndex, error)
}

// Index implements v1.ImageIndex.
type Index struct {
	raw      []byte
	manifest *v1.IndexManifest
	members  Manifests
}

// NewIndex returns the index whose document is raw.
func NewIndex(raw []byte, members Manifests) (*Index, error) {
	manifest, err := v1.ParseIndexManifest(bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("parsing index %s: %w", Hash(raw), err)
	}
	return &Index{raw, manifest, members}, nil
}

// IndexOf returns an index over descriptors that no index lists, such as a single
// image's.
func IndexOf(descs []v1.Descriptor, members Manifests) (*Index, error) {
	manifest := &v1.IndexManifest{SchemaVersion: 2, MediaType: types.OCIImageIndex, Manifests: descs}
	raw, err := json.Marshal(manifest)
	return &Index{raw, manifest, members}, err
}

// MediaType implements v1.ImageIndex, as do the other methods.
func (i *Index) MediaType() (types.MediaType, error) { return i.manifest.MediaType, nil }

func (i *Index) Digest() (v1.Hash, error)                  { return Hash(i.raw), nil }
func (i *Index) Size() (int64, error)                      { return int64(len(i.raw)), nil }
func (i *Index) RawManifest() ([]byte, error)              { return bytes.Clone(i.raw), nil }
func (i *Index) IndexManifest() (*v1.IndexManifest, error) { return i.manifest.DeepCopy(), nil }

func (i *Index) Image(h v1.Hash) (v1.Image, error) {
	desc, err := i.find("manifest", h)
	if err != nil {
		return nil, err
	}
	return i.members.Image(desc)
}

func (i *Index) ImageIndex(h v1.Hash) (v1.ImageIndex, error) {
	desc, err := i.find("index", h)
	if err != nil {
		return nil, err
	}
	return i.members.Index(desc)
}

func (i *Index) find(what string, h v1.Hash) (v1.Descriptor, error) {
	for _, desc := range i.manifest.Manifests {
		if desc.Digest == h {
			return desc, nil
		}
	}
	return v1.Descriptor{}, notFound(what, h)
}
