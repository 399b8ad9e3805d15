package image

import (
	"archive/tar"
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/lucid-project/base-images/lucidbase"
)

// Named is an image with the names that it gets.
type Named struct {
	Index v1.ImageIndex
	Tags  []name.Tag
}

// WriteTar writes images as one tar of an OCI layout, in which containerd, Docker with
// containerd's store and Podman find the names where they look for them. Blobs that has
// reports are left out, for a reader that has them; nil means none.
func WriteTar(ctx context.Context, w io.Writer, images []Named, has func(digest.Digest) bool) error {
	t := newTar(ctx, w)
	var tops []ocispecs.Descriptor
	for _, img := range images {
		blobs, err := Blobs(img.Index)
		if err != nil {
			return err
		}
		for _, b := range blobs {
			if has != nil && has(b.Digest) {
				continue
			}
			if err := t.add(b); err != nil {
				return err
			}
		}
		tops = append(tops, named(blobs[len(blobs)-1].Descriptor, img.Tags)...)
	}
	if err := t.addIndex(tops); err != nil {
		return err
	}
	return t.Close()
}

// named returns a descriptor for each name of an image.
func named(top ocispecs.Descriptor, tags []name.Tag) []ocispecs.Descriptor {
	tops := make([]ocispecs.Descriptor, len(tags))
	for i, tag := range tags {
		tops[i] = top
		tops[i].Annotations = map[string]string{ocispecs.AnnotationRefName: tag.TagStr(), containerdName: WholeName(tag)}
	}
	return tops
}

// tarWriter writes files of an OCI layout, each once.
type tarWriter struct {
	*tar.Writer
	ctx  context.Context //nolint:containedctx // it lives as long as one call
	made map[string]bool
}

func newTar(ctx context.Context, w io.Writer) *tarWriter {
	return &tarWriter{tar.NewWriter(w), ctx, map[string]bool{}}
}

func blobName(d digest.Digest) string {
	return ocispecs.ImageBlobsDir + "/" + d.Algorithm().String() + "/" + d.Encoded()
}

// add writes a blob, and finds out whether it is what its digest says.
func (t *tarWriter) add(b Blob) error {
	if t.made[blobName(b.Digest)] {
		return nil
	}
	if err := t.header(blobName(b.Digest), b.Size); err != nil {
		return err
	}
	return b.Copy(t.ctx, t)
}

// header begins a file. Equal images make equal tars: the time is always the same.
func (t *tarWriter) header(file string, size int64) error {
	t.made[file] = true
	return t.WriteHeader(&tar.Header{Name: file, Mode: 0o644, Size: size, ModTime: lucidbase.Epoch(), Typeflag: tar.TypeReg, Format: tar.FormatPAX})
}

func (t *tarWriter) addJSON(file string, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if err := t.header(file, int64(len(data))); err != nil {
		return err
	}
	_, err = t.Write(data)
	return err
}

// addIndex makes a layout of the blobs.
func (t *tarWriter) addIndex(tops []ocispecs.Descriptor) error {
	if err := t.addJSON(ocispecs.ImageLayoutFile, ocispecs.ImageLayout{Version: ocispecs.ImageLayoutVersion}); err != nil {
		return err
	}
	return t.addJSON(ocispecs.ImageIndexFile, ocispecs.Index{
		Versioned: specs.Versioned{SchemaVersion: 2},
		MediaType: ocispecs.MediaTypeImageIndex,
		Manifests: tops,
	})
}

// OfPlatform returns an index's image for a platform: the only one where it has one.
func OfPlatform(idx v1.ImageIndex, p ocispecs.Platform) (v1.Image, error) {
	m, err := idx.IndexManifest()
	if err != nil {
		return nil, err
	}
	if len(m.Manifests) == 1 {
		return idx.Image(m.Manifests[0].Digest)
	}
	for _, desc := range m.Manifests {
		if desc.Platform != nil && desc.Platform.OS == p.OS && desc.Platform.Architecture == p.Architecture {
			return idx.Image(desc.Digest)
		}
	}
	return nil, fmt.Errorf("there is no image for %s", lucidbase.FormatPlatform(p))
}
