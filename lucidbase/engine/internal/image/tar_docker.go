package image

import (
	"context"
	"io"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

// dockerImage is an entry of manifest.json, see
// https://github.com/moby/docker-image-spec/blob/main/spec.md.
type dockerImage struct {
	Config   string
	RepoTags []string
	Layers   []string
}

// WriteDockerTar writes one platform of images as a tar that "docker load" of any version
// takes. Where Docker is new enough it is an OCI layout as well, of which the digests stay.
// The first n layers of an image are left out, for a reader that has them, where have
// returns n for all its diff IDs; nil means none.
func WriteDockerTar(ctx context.Context, w io.Writer, images []Named, p ocispecs.Platform, have func(diffIDs []v1.Hash) int) error {
	t := &dockerTar{tarWriter: newTar(ctx, w), layout: have == nil}
	for _, img := range images {
		platform, err := OfPlatform(img.Index, p)
		if err != nil {
			return err
		}
		if err := t.addImage(platform, img, have); err != nil {
			return err
		}
	}
	if t.layout {
		if err := t.addIndex(t.tops); err != nil {
			return err
		}
	}
	if err := t.addJSON("manifest.json", t.images); err != nil {
		return err
	}
	return t.Close()
}

type dockerTar struct {
	*tarWriter
	images []dockerImage
	// layout says that it is an OCI layout as well, as far as it is written.
	layout bool
	tops   []ocispecs.Descriptor
}

func (t *dockerTar) addImage(img v1.Image, n Named, have func([]v1.Hash) int) error {
	config, err := img.ConfigFile()
	if err != nil {
		return err
	}
	layers, err := img.Layers()
	if err != nil {
		return err
	}
	entry := dockerImage{Layers: make([]string, len(layers))}
	there := 0
	if have != nil {
		there = have(config.RootFS.DiffIDs)
	}
	for i, l := range layers {
		blob, err := dockerLayer(l)
		if err != nil {
			return err
		}
		t.layout = t.layout && blob.MediaType == string(types.OCILayer)
		entry.Layers[i] = blobName(blob.Digest)
		if i < there {
			continue
		}
		if err := t.add(blob); err != nil {
			return err
		}
	}
	return t.addDocuments(img, n, entry)
}

// addDocuments adds an image's config and manifest.
func (t *dockerTar) addDocuments(img v1.Image, n Named, entry dockerImage) error {
	config, err := img.RawConfigFile()
	if err != nil {
		return err
	}
	manifest, err := img.RawManifest()
	if err != nil {
		return err
	}
	top := bytesBlob(ocispecs.MediaTypeImageManifest, manifest)
	entry.Config = blobName(digest.FromBytes(config))
	for _, tag := range n.Tags {
		entry.RepoTags = append(entry.RepoTags, WholeName(tag))
	}
	t.images = append(t.images, entry)
	t.tops = append(t.tops, named(top.Descriptor, n.Tags)...)
	if err := t.add(bytesBlob(ocispecs.MediaTypeImageConfig, config)); err != nil {
		return err
	}
	return t.add(top)
}

// dockerLayer is a layer as every Docker reads it: what is not gzip, uncompressed.
func dockerLayer(l v1.Layer) (Blob, error) {
	mediaType, err := l.MediaType()
	if err != nil {
		return Blob{}, err
	}
	if mediaType == types.OCILayer {
		return layerBlob(l)
	}
	diffID, err := l.DiffID()
	if err != nil {
		return Blob{}, err
	}
	size, err := tarSize(l)
	if err != nil {
		return Blob{}, err
	}
	return Blob{
		ocispecs.Descriptor{MediaType: ocispecs.MediaTypeImageLayer, Digest: digest.Digest(diffID.String()), Size: size},
		l.Uncompressed,
		lostOf(l),
	}, nil
}

// tarSize reads a layer to learn its size uncompressed.
func tarSize(l v1.Layer) (int64, error) {
	r, err := l.Uncompressed()
	if err != nil {
		return 0, lostOf(l)(err)
	}
	defer r.Close()
	return io.Copy(io.Discard, r)
}
