package imagesource

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/lucid-project/base-images/internal/v1image"
	"github.com/lucid-project/base-images/lucidbase/verify"
)

// content returns an image's parts by digest, and no part whose content is not what
// its digest says. Where that is known only at the end of a blob, its last Read
// is an error.
type content interface {
	manifest(v1.Descriptor) ([]byte, error)
	Blob(v1.Descriptor) (io.ReadCloser, error)
}

// members are the images and indexes of a content.
type members struct{ content }

func (m members) Image(desc v1.Descriptor) (v1.Image, error)      { return openImage(m.content, desc) }
func (m members) Index(desc v1.Descriptor) (v1.ImageIndex, error) { return openIndex(m.content, desc) }

// maxDocument is the size of a manifest, index or config at most, in bytes;
// registries take manifests of 4 MiB.
const maxDocument = 8 << 20

// document reads a small blob.
func document(c content, desc v1.Descriptor) ([]byte, error) {
	blob, err := c.Blob(desc)
	if err != nil {
		return nil, err
	}
	defer blob.Close()
	return readDocument(blob, "blob "+desc.Digest.String())
}

func readDocument(r io.Reader, what string) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxDocument+1))
	switch {
	case err != nil:
		return nil, err
	case len(data) > maxDocument:
		return nil, fmt.Errorf("%s: more than %d bytes", what, maxDocument)
	}
	return data, nil
}

func openImage(c content, desc v1.Descriptor) (v1.Image, error) {
	raw, err := c.manifest(desc)
	if err != nil {
		return nil, err
	}
	if err := checkManifest(raw, desc); err != nil {
		return nil, err
	}
	m, err := v1.ParseManifest(bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("parsing manifest %s: %w", desc.Digest, err)
	}
	if verify.IsArtifact(m) {
		return v1image.Artifact(raw)
	}
	config, err := document(c, m.Config)
	if err != nil {
		return nil, fmt.Errorf("reading the config: %w", err)
	}
	img, err := v1image.New(raw, config, func(desc v1.Descriptor, diffID v1.Hash) v1.Layer {
		return v1image.NewLayer(c, desc, diffID)
	})
	if err != nil {
		return nil, err
	}
	if parsed, err := img.ConfigFile(); err != nil || !m.Config.MediaType.IsConfig() && len(parsed.RootFS.DiffIDs) == 0 {
		return nil, fmt.Errorf("manifest %s: its config is %q: no image", desc.Digest, m.Config.MediaType)
	}
	return img, nil
}

func openIndex(c content, desc v1.Descriptor) (*v1image.Index, error) {
	raw, err := c.manifest(desc)
	if err != nil {
		return nil, err
	}
	idx, err := v1image.NewIndex(raw, members{c})
	if err != nil {
		return nil, err
	}
	own, err := idx.MediaType()
	if err != nil {
		return nil, err
	}
	if mediaType := mediaTypeOf(desc.MediaType, own); !mediaType.IsIndex() {
		return nil, fmt.Errorf("index %s: media type %q: no index", desc.Digest, mediaType)
	}
	return idx, nil
}

// checkManifest says of another kind of document what it is, before its parts are
// read as a manifest's.
func checkManifest(raw []byte, desc v1.Descriptor) error {
	var m struct {
		SchemaVersion int64           `json:"schemaVersion"`
		MediaType     types.MediaType `json:"mediaType"`
	}
	if err := json.Unmarshal(raw, &m); err != nil {
		return fmt.Errorf("parsing manifest %s: %w", desc.Digest, err)
	}
	if mediaType := mediaTypeOf(desc.MediaType, m.MediaType); !mediaType.IsImage() || m.SchemaVersion != 2 {
		return fmt.Errorf("manifest %s: media type %q, schema version %d: no image manifest that is known here", desc.Digest, mediaType, m.SchemaVersion)
	}
	return nil
}

// mediaTypeOf is a document's own media type, or that of its descriptor: the
// former may be left out (image-spec, manifest.md).
func mediaTypeOf(descriptor, own types.MediaType) types.MediaType {
	if own != "" {
		return own
	}
	return descriptor
}
