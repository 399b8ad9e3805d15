package image

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase"
)

// export is a content directory as BuildKit fills it.
type export struct {
	t   *testing.T
	dir string
}

func newExport(t *testing.T) export { return export{t, t.TempDir()} }

func (e export) blob(mediaType string, data []byte) ocispecs.Descriptor {
	desc := ocispecs.Descriptor{MediaType: mediaType, Digest: digest.FromBytes(data), Size: int64(len(data))}
	path := filepath.Join(e.dir, "blobs", "sha256", desc.Digest.Encoded())
	require.NoError(e.t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(e.t, os.WriteFile(path, data, 0o644))
	return desc
}

func (e export) json(mediaType string, v any) ocispecs.Descriptor {
	data, err := json.MarshalIndent(v, "", "  ")
	require.NoError(e.t, err)
	return e.blob(mediaType, data)
}

// layer is a tar of one file, which has that content many times over.
func (e export) layer(content string) ocispecs.Descriptor {
	data := bytes.Repeat([]byte(content+"\n"), 5000)
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	require.NoError(e.t, w.WriteHeader(&tar.Header{Name: "file", Mode: 0o644, Size: int64(len(data))}))
	_, err := w.Write(data)
	require.NoError(e.t, err)
	require.NoError(e.t, w.Close())
	return e.blob(ocispecs.MediaTypeImageLayer, b.Bytes())
}

// manifest is one platform's image of these layers.
func (e export) manifest(p ocispecs.Platform, contents ...string) ocispecs.Descriptor {
	config := ocispecs.Image{Platform: p, RootFS: ocispecs.RootFS{Type: "layers"}}
	m := ocispecs.Manifest{
		Versioned:   specs.Versioned{SchemaVersion: 2},
		MediaType:   ocispecs.MediaTypeImageManifest,
		Annotations: map[string]string{"of": "the manifest"},
	}
	for _, content := range contents {
		l := e.layer(content)
		l.Annotations = map[string]string{"buildkit/rewritten-timestamp": "0"}
		m.Layers = append(m.Layers, l)
		config.RootFS.DiffIDs = append(config.RootFS.DiffIDs, l.Digest)
	}
	m.Config = e.json(ocispecs.MediaTypeImageConfig, config)
	desc := e.json(m.MediaType, m)
	desc.Platform = &p
	return desc
}

func (e export) index(manifests ...ocispecs.Descriptor) digest.Digest {
	return e.json(ocispecs.MediaTypeImageIndex, ocispecs.Index{
		Versioned:   specs.Versioned{SchemaVersion: 2},
		MediaType:   ocispecs.MediaTypeImageIndex,
		Manifests:   manifests,
		Annotations: map[string]string{"of": "the index"},
	}).Digest
}

// image is a finished one for both platforms; layers named by other images as
// well are the same in them.
func (e export) image(layers ...string) *Image {
	var arm []string
	for _, l := range layers {
		arm = append(arm, l+" for ARM64")
	}
	top := e.index(e.manifest(lucidbase.LinuxARM64, arm...), e.manifest(lucidbase.LinuxAMD64, layers...))
	img, err := NewStore(e.dir).Assemble(e.t.Context(), Gzip, top)
	require.NoError(e.t, err)
	return img
}

// snapshot is every file below dir, with its inode and its time of change.
func snapshot(t *testing.T, dir string) map[string]string {
	files := map[string]string{}
	require.NoError(t, filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		require.NoError(t, err)
		rel, err := filepath.Rel(dir, path)
		if !info.IsDir() {
			files[rel] = fmt.Sprint(reflect.ValueOf(info.Sys()).Elem().FieldByName("Ino"), info.ModTime())
		}
		return err
	}))
	return files
}
