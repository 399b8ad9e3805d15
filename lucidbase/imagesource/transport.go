package imagesource

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"path"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/lucid-project/base-images/internal/v1image"
)

// transportFiles are those of a directory as "podman save --format docker-dir" and
// "skopeo copy ... dir:" write it (containers-transports(5)), under the names of an OCI
// layout: each blob is called by its digest, each manifest of an index besides has
// ".manifest.json" behind it, and the first is manifest.json.
type transportFiles struct {
	files
	top v1.Hash
}

func (t transportFiles) open(name string) (io.ReadCloser, int64, error) {
	hex := path.Base(name)
	if hex == t.top.Hex {
		return t.files.open("manifest.json")
	}
	if r, size, err := t.files.open(hex + ".manifest.json"); err == nil {
		return r, size, nil
	}
	return t.files.open(hex)
}

// transportImages lists the image of such a directory, whose manifest.json is raw.
func transportImages(name string, f files, raw []byte) ([]Image, error) {
	var m struct {
		MediaType types.MediaType   `json:"mediaType"`
		Manifests []json.RawMessage `json:"manifests"`
	}
	if err := json.Unmarshal(raw, &m); err != nil {
		return nil, fmt.Errorf("parsing manifest.json: %w", err)
	}
	if m.MediaType == "" { // OCI leaves it to the descriptor, which is not here
		if m.MediaType = types.OCIManifestSchema1; m.Manifests != nil {
			m.MediaType = types.OCIImageIndex
		}
	}
	desc := v1.Descriptor{MediaType: m.MediaType, Digest: v1image.Hash(raw), Size: int64(len(raw))}
	var c content = &layoutContent{files: transportFiles{f, desc.Digest}, hashed: map[v1.Hash]bool{}}
	if m.MediaType == types.DockerManifestSchema2 {
		var err error
		if desc, c, err = unpackedByPodman(c, desc, raw); err != nil {
			return nil, err
		}
	}
	idx, err := topIndex(c, desc)
	if err != nil {
		return nil, err
	}
	return []Image{{Name: name, Index: idx, Hashed: true}}, nil
}

// rewritten is an image whose manifest is another than the one that is there.
type rewritten struct {
	content
	raw []byte
}

func (r rewritten) manifest(v1.Descriptor) ([]byte, error) { return r.raw, nil }

// unpackedByPodman corrects the layers' types: podman writes layers that are not
// compressed, and a manifest that says they are. That is no fault of the image.
func unpackedByPodman(c content, desc v1.Descriptor, raw []byte) (v1.Descriptor, content, error) {
	m, err := v1.ParseManifest(bytes.NewReader(raw))
	if err != nil {
		return desc, nil, fmt.Errorf("parsing manifest.json: %w", err)
	}
	changed := false
	for i, layer := range m.Layers {
		if layer.MediaType != types.DockerLayer {
			continue
		}
		blob, err := c.Blob(layer)
		if err != nil {
			return desc, nil, err
		}
		head := make([]byte, 4)
		n, _ := io.ReadFull(blob, head) // what cannot be read is said when it is read in full
		blob.Close()
		if n == len(head) && v1image.Compression(head) == "" {
			m.Layers[i].MediaType, changed = types.DockerUncompressedLayer, true
		}
	}
	if !changed {
		return desc, c, nil
	}
	raw, err = json.Marshal(m)
	return v1.Descriptor{MediaType: desc.MediaType, Size: int64(len(raw))}, rewritten{c, raw}, err
}
