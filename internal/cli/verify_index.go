package cli

import (
	"bytes"
	"fmt"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// foreignIndex implements v1.ImageIndex.
type foreignIndex struct {
	content
	raw    []byte
	parsed *v1.IndexManifest
}

func openIndex(c content, desc v1.Descriptor) (*foreignIndex, error) {
	raw, err := c.manifest(desc)
	if err != nil {
		return nil, err
	}
	parsed, err := v1.ParseIndexManifest(bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("parsing index %s: %w", desc.Digest, err)
	}
	if mediaType := mediaTypeOf(desc.MediaType, parsed.MediaType); !mediaType.IsIndex() {
		return nil, fmt.Errorf("index %s: media type %q: no index", desc.Digest, mediaType)
	}
	return &foreignIndex{c, raw, parsed}, nil
}

func (i *foreignIndex) MediaType() (types.MediaType, error)       { return i.parsed.MediaType, nil }
func (i *foreignIndex) Digest() (v1.Hash, error)                  { return partial.Digest(i) }
func (i *foreignIndex) Size() (int64, error)                      { return int64(len(i.raw)), nil }
func (i *foreignIndex) RawManifest() ([]byte, error)              { return i.raw, nil }
func (i *foreignIndex) IndexManifest() (*v1.IndexManifest, error) { return i.parsed, nil }
func (i *foreignIndex) Image(h v1.Hash) (v1.Image, error)         { return openImage(i, i.find(h)) }
func (i *foreignIndex) ImageIndex(h v1.Hash) (v1.ImageIndex, error) {
	return openIndex(i, i.find(h))
}

// find gives a descriptor of the index.
func (i *foreignIndex) find(h v1.Hash) v1.Descriptor {
	for _, desc := range i.parsed.Manifests {
		if desc.Digest == h {
			return desc
		}
	}
	return v1.Descriptor{Digest: h}
}

// indexOf is an index over descriptors that no index lists, such as a single
// image's.
func indexOf(c content, descs ...v1.Descriptor) *foreignIndex {
	return &foreignIndex{content: c, parsed: &v1.IndexManifest{SchemaVersion: 2, MediaType: types.OCIImageIndex, Manifests: descs}}
}

// narrowed is an index of which only the platforms asked for are looked at.
type narrowed struct {
	*foreignIndex
	want []v1.Platform
}

func (n narrowed) ImageIndex(h v1.Hash) (v1.ImageIndex, error) {
	inner, err := openIndex(n, n.find(h))
	return narrowed{inner, n.want}, err
}

func (n narrowed) IndexManifest() (*v1.IndexManifest, error) {
	manifest, err := n.foreignIndex.IndexManifest()
	if err != nil {
		return nil, err
	}
	manifest = manifest.DeepCopy()
	manifest.Manifests = slices.DeleteFunc(manifest.Manifests, func(desc v1.Descriptor) bool {
		return desc.Platform != nil && !slices.ContainsFunc(n.want, func(p v1.Platform) bool {
			return desc.Platform.OS == p.OS && desc.Platform.Architecture == p.Architecture
		})
	})
	return manifest, nil
}
