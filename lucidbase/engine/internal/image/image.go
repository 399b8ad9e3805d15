package image

import (
	"fmt"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/validate"
	"github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/lucid-project/base-images/internal/checked"
	"github.com/lucid-project/base-images/internal/v1image"
)

// Image is a finished image for one or more platforms, whole in its store.
type Image struct {
	// Digest is that of the index.
	Digest digest.Digest
	// Platforms in the order of the index.
	Platforms []Platform

	store *Store
	index *v1image.Index
	// layers are those of every platform, each a *layer.
	layers []v1.Layer
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
func (i *Image) Layers() []v1.Layer { return slices.Clone(i.layers) }

// Open opens an image that Assemble has returned before, and counts as a use of it. An
// error is a DamagedError where a part is missing.
func (s *Store) Open(d digest.Digest, c Compression) (*Image, error) {
	img, err := s.open(d)
	if err != nil {
		return nil, fmt.Errorf("opening image %s: %w", d, err)
	}
	for _, desc := range img.blobs {
		checked.Touch(s.path(desc.Digest))
	}
	for _, l := range img.layers {
		diffID := l.(*layer).diffID()
		checked.Touch(s.path(diffID), s.record(diffID, c))
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
	images := members{}
	img := &Image{Digest: d, store: s}
	if img.index, err = v1image.NewIndex(raw, images); err != nil {
		return nil, err
	}
	manifest, err := img.index.IndexManifest()
	if err != nil {
		return nil, err
	}
	var manifests []ocispecs.Descriptor
	for _, m := range manifest.Manifests {
		p, err := s.openPlatform(digest.Digest(m.Digest.String()))
		if err != nil {
			return nil, err
		}
		images[m.Digest] = p
		if err := img.addPlatform(m, p); err != nil {
			return nil, err
		}
		manifests = append(manifests, descriptor(m))
	}
	img.blobs = append(img.blobs, manifests...)
	img.blobs = append(img.blobs, ocispecs.Descriptor{MediaType: ocispecs.MediaTypeImageIndex, Digest: d, Size: int64(len(raw))})
	return img, img.check()
}

func (i *Image) addPlatform(desc v1.Descriptor, p *v1image.Image) error {
	manifest, err := p.Manifest()
	if err != nil {
		return err
	}
	layers, err := p.Layers()
	if err != nil {
		return err
	}
	result := Platform{Digest: digest.Digest(desc.Digest.String())}
	if desc.Platform != nil {
		result.Platform = ocispecs.Platform{
			OS:           desc.Platform.OS,
			Architecture: desc.Platform.Architecture,
			Variant:      desc.Platform.Variant,
			OSVersion:    desc.Platform.OSVersion,
		}
	}
	for _, l := range manifest.Layers {
		result.Size += l.Size
		i.blobs = append(i.blobs, descriptor(l))
	}
	i.blobs = append(i.blobs, descriptor(manifest.Config))
	i.layers = append(i.layers, layers...)
	i.Platforms = append(i.Platforms, result)
	return nil
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
