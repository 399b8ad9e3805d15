package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/lucid-project/base-images/lucidbase/verify"
)

// content gives an image's parts by digest, and no part whose content is not what
// its digest says. Where that is known only at the end of a blob, its last Read
// is an error.
type content interface {
	manifest(v1.Descriptor) ([]byte, error)
	blob(v1.Descriptor) (io.ReadCloser, error)
}

// maxDocument is the size of a manifest, index or config at most, in bytes;
// registries take manifests of 4 MiB.
const maxDocument = 8 << 20

// document reads a small blob.
func document(c content, desc v1.Descriptor) ([]byte, error) {
	blob, err := c.blob(desc)
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

// foreignImage implements v1.Image for one that somebody else made: unlike
// go-containerregistry's own it decompresses no layer to learn its diff ID.
type foreignImage struct {
	raw, rawConfig []byte
	parsed         *v1.Manifest
	config         *v1.ConfigFile
	layers         []v1.Layer
}

func openImage(c content, desc v1.Descriptor) (*foreignImage, error) {
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
	img := &foreignImage{raw: raw, parsed: m}
	if verify.IsArtifact(m) {
		return img, nil // its config is not an image's
	}
	if img.rawConfig, err = document(c, m.Config); err != nil {
		return nil, fmt.Errorf("reading the config: %w", err)
	}
	if img.config, err = v1.ParseConfigFile(bytes.NewReader(img.rawConfig)); err != nil {
		return nil, fmt.Errorf("parsing config %s: %w", m.Config.Digest, err)
	}
	if !m.Config.MediaType.IsConfig() && len(img.config.RootFS.DiffIDs) == 0 {
		return nil, fmt.Errorf("manifest %s: its config is %q: no image", desc.Digest, m.Config.MediaType)
	}
	for i, desc := range m.Layers {
		l := &foreignLayer{content: c, desc: desc}
		if i < len(img.config.RootFS.DiffIDs) {
			l.diffID = img.config.RootFS.DiffIDs[i]
		}
		img.layers = append(img.layers, l)
	}
	return img, nil
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

func (i *foreignImage) MediaType() (types.MediaType, error) { return i.parsed.MediaType, nil }
func (i *foreignImage) Digest() (v1.Hash, error)            { return partial.Digest(i) }
func (i *foreignImage) Size() (int64, error)                { return int64(len(i.raw)), nil }
func (i *foreignImage) Manifest() (*v1.Manifest, error)     { return i.parsed, nil }
func (i *foreignImage) RawManifest() ([]byte, error)        { return i.raw, nil }
func (i *foreignImage) ConfigName() (v1.Hash, error)        { return i.parsed.Config.Digest, nil }
func (i *foreignImage) ConfigFile() (*v1.ConfigFile, error) { return i.config, nil }
func (i *foreignImage) RawConfigFile() ([]byte, error)      { return i.rawConfig, nil }
func (i *foreignImage) Layers() ([]v1.Layer, error)         { return i.layers, nil }
func (i *foreignImage) LayerByDigest(h v1.Hash) (v1.Layer, error) {
	return i.find(h, v1.Layer.Digest)
}
func (i *foreignImage) LayerByDiffID(h v1.Hash) (v1.Layer, error) {
	return i.find(h, v1.Layer.DiffID)
}

func (i *foreignImage) find(h v1.Hash, key func(v1.Layer) (v1.Hash, error)) (v1.Layer, error) {
	for _, l := range i.layers {
		if got, err := key(l); err == nil && got == h {
			return l, nil
		}
	}
	return nil, fmt.Errorf("layer %s: not in the image", h)
}

// foreignLayer implements v1.Layer. Its diff ID is what the config says.
type foreignLayer struct {
	content
	desc   v1.Descriptor
	diffID v1.Hash
}

func (l *foreignLayer) Digest() (v1.Hash, error)            { return l.desc.Digest, nil }
func (l *foreignLayer) DiffID() (v1.Hash, error)            { return l.diffID, nil }
func (l *foreignLayer) Size() (int64, error)                { return l.desc.Size, nil }
func (l *foreignLayer) MediaType() (types.MediaType, error) { return l.desc.MediaType, nil }
func (l *foreignLayer) Compressed() (io.ReadCloser, error)  { return l.blob(l.desc) }
func (l *foreignLayer) Uncompressed() (io.ReadCloser, error) {
	blob, err := l.blob(l.desc)
	if err != nil {
		return nil, err
	}
	return decompress(blob)
}
