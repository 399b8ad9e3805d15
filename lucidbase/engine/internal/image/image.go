package image

import (
	"bytes"
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/google/go-containerregistry/pkg/v1/validate"
	"github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

// Image is a finished image for one or more platforms, whole in its store.
type Image struct {
	// Digest is that of the index.
	Digest digest.Digest
	// Platforms in the order of the index.
	Platforms []Platform

	store *Store
	index *index
	// blobs are the layers and configs, then the manifests, then the index.
	blobs []ocispecs.Descriptor
}

// Platform is an Image on one platform.
type Platform struct {
	Platform ocispecs.Platform
	// Digest is that of the manifest.
	Digest digest.Digest
	// Size is the bytes of all layers, compressed.
	Size int64
}

// Index is the image as go-containerregistry sees it. A layer's uncompressed form
// is read from the store, not decompressed.
func (i *Image) Index() v1.ImageIndex { return i.index }

// Layers lists the layers of every platform; one that several have comes several
// times.
func (i *Image) Layers() []v1.Layer {
	var all []v1.Layer
	for _, m := range i.index.manifest.Manifests {
		all = append(all, i.index.images[m.Digest].layers...)
	}
	return all
}

// Open opens an image that Assemble has returned before, and counts as a use of it. An
// error is a DamagedError where a part is missing.
func (s *Store) Open(d digest.Digest, c Compression) (*Image, error) {
	img, err := s.open(d)
	if err != nil {
		return nil, fmt.Errorf("opening image %s: %w", d, err)
	}
	for _, desc := range img.blobs {
		s.touch(s.path(desc.Digest))
	}
	for _, p := range img.index.images {
		for _, l := range p.layers {
			diffID := digest.Digest(l.(*layer).diffID.String())
			s.touch(s.path(diffID), s.record(diffID, c))
		}
	}
	return img, nil
}

// open reads an index and everything below it, and checks that all of it is
// there. Layers are not read: they were hashed when they were written.
func (s *Store) open(d digest.Digest) (*Image, error) {
	raw, err := s.readBlob(d)
	if err != nil {
		return nil, err
	}
	manifest, err := v1.ParseIndexManifest(bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("parsing index %s: %w", d, err)
	}
	img := &Image{Digest: d, store: s, index: &index{raw: raw, manifest: manifest, images: map[v1.Hash]*platformImage{}}}
	var manifests []ocispecs.Descriptor
	for _, m := range manifest.Manifests {
		p, err := s.openPlatform(digest.Digest(m.Digest.String()))
		if err != nil {
			return nil, err
		}
		img.index.images[m.Digest] = p
		img.addPlatform(m, p)
		manifests = append(manifests, descriptor(m))
	}
	img.blobs = append(img.blobs, manifests...)
	img.blobs = append(img.blobs, ocispecs.Descriptor{MediaType: ocispecs.MediaTypeImageIndex, Digest: d, Size: int64(len(raw))})
	return img, img.check()
}

func (i *Image) addPlatform(desc v1.Descriptor, p *platformImage) {
	result := Platform{Digest: digest.Digest(desc.Digest.String())}
	if desc.Platform != nil {
		result.Platform = ocispecs.Platform{
			OS:           desc.Platform.OS,
			Architecture: desc.Platform.Architecture,
			Variant:      desc.Platform.Variant,
			OSVersion:    desc.Platform.OSVersion,
		}
	}
	for _, l := range p.manifest.Layers {
		result.Size += l.Size
		i.blobs = append(i.blobs, descriptor(l))
	}
	i.blobs = append(i.blobs, descriptor(p.manifest.Config))
	i.Platforms = append(i.Platforms, result)
}

// check has go-containerregistry look at the image, after a look at the blobs
// that says which one is wrong.
func (i *Image) check() error {
	for _, desc := range i.blobs {
		if err := i.store.check(desc); err != nil {
			return err
		}
	}
	if err := validate.Index(i.index, validate.Fast); err != nil {
		return oneLine{err}
	}
	return nil
}

func descriptor(d v1.Descriptor) ocispecs.Descriptor {
	return ocispecs.Descriptor{MediaType: string(d.MediaType), Digest: digest.Digest(d.Digest.String()), Size: d.Size}
}

// index implements v1.ImageIndex.
type index struct {
	raw      []byte
	manifest *v1.IndexManifest
	images   map[v1.Hash]*platformImage
}

func (i *index) MediaType() (types.MediaType, error)         { return i.manifest.MediaType, nil }
func (i *index) Digest() (v1.Hash, error)                    { return hash(i.raw), nil }
func (i *index) Size() (int64, error)                        { return int64(len(i.raw)), nil }
func (i *index) IndexManifest() (*v1.IndexManifest, error)   { return i.manifest.DeepCopy(), nil }
func (i *index) RawManifest() ([]byte, error)                { return bytes.Clone(i.raw), nil }
func (i *index) ImageIndex(h v1.Hash) (v1.ImageIndex, error) { return nil, notFound("index", h) }

func (i *index) Image(h v1.Hash) (v1.Image, error) {
	if img, ok := i.images[h]; ok {
		return img, nil
	}
	return nil, notFound("manifest", h)
}

func hash(data []byte) v1.Hash {
	d := digest.FromBytes(data)
	return v1.Hash{Algorithm: d.Algorithm().String(), Hex: d.Encoded()}
}

func notFound(what string, h v1.Hash) error { return fmt.Errorf("%s %s: not in the image", what, h) }
