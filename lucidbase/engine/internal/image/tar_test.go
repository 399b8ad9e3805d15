package image

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/validate"
	"github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase"
)

// unpack returns the files of a tar, each of which must come once.
func unpack(t *testing.T, data []byte) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	for tr := tar.NewReader(bytes.NewReader(data)); ; {
		header, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		require.NoError(t, err)
		require.NotContains(t, files, header.Name)
		files[header.Name], err = io.ReadAll(tr)
		require.NoError(t, err)
	}
}

func two(t *testing.T) []Named {
	e := newExport(t)
	return []Named{
		{e.image("root", "one").Index(), []name.Tag{tagged(t, "one"), tagged(t, "also")}},
		{e.image("root", "two").Index(), []name.Tag{tagged(t, "two")}},
	}
}

// What is in the tar is a layout, as others read it.
func TestWriteTar(t *testing.T) {
	var out bytes.Buffer
	images := two(t)
	require.NoError(t, WriteTar(t.Context(), &out, images, nil))
	dir := t.TempDir()
	for file, data := range unpack(t, out.Bytes()) {
		path := filepath.Join(dir, file)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, data, 0o600))
	}
	l, err := layout.FromPath(dir)
	require.NoError(t, err)
	top, err := l.ImageIndex()
	require.NoError(t, err)
	require.NoError(t, validate.Index(top), "with every byte read")
	m, err := top.IndexManifest()
	require.NoError(t, err)
	var names []string
	for _, desc := range m.Manifests {
		names = append(names, desc.Annotations["org.opencontainers.image.ref.name"]+" "+desc.Annotations["io.containerd.image.name"])
	}
	require.Equal(t, []string{"one docker.io/lucid/base:one", "also docker.io/lucid/base:also", "two docker.io/lucid/base:two"}, names)

	var again bytes.Buffer
	require.NoError(t, WriteTar(t.Context(), &again, images, nil))
	require.Equal(t, out.Bytes(), again.Bytes(), "equal images make equal tars")
}

func TestWriteTarOmits(t *testing.T) {
	var all, some bytes.Buffer
	images := two(t)
	require.NoError(t, WriteTar(t.Context(), &all, images, nil))
	var omitted digest.Digest
	require.NoError(t, WriteTar(t.Context(), &some, images, func(d digest.Digest) bool {
		if omitted == "" {
			omitted = d
		}
		return d == omitted
	}))
	whole, part := unpack(t, all.Bytes()), unpack(t, some.Bytes())
	require.Contains(t, whole, blobName(omitted))
	delete(whole, blobName(omitted))
	require.Equal(t, whole, part)
}

// As go-containerregistry reads what "docker save" writes, whatever compressed the layers.
func TestWriteDockerTar(t *testing.T) {
	for _, compression := range []Compression{Gzip, Zstd} {
		e := newExport(t)
		top := e.index(e.manifest(lucidbase.LinuxAMD64, "root", "one"), e.manifest(lucidbase.LinuxARM64, "root", "other"))
		img, err := NewStore(e.dir).Assemble(t.Context(), compression, top)
		require.NoError(t, err)
		var out bytes.Buffer
		require.NoError(t, WriteDockerTar(t.Context(), &out, []Named{{img.Index(), []name.Tag{tagged(t, "latest")}}}, lucidbase.LinuxARM64, nil))
		tag := tagged(t, "latest")
		got, err := tarball.Image(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(out.Bytes())), nil }, &tag)
		require.NoError(t, err)
		require.NoError(t, validate.Image(got), "with every byte read")
		want, err := OfPlatform(img.Index(), lucidbase.LinuxARM64)
		require.NoError(t, err)
		requireSameConfig(t, want, got)
		_, layoutToo := unpack(t, out.Bytes())["oci-layout"]
		require.Equal(t, compression == Gzip, layoutToo)
	}
}

func requireSameConfig(t *testing.T, want, got v1.Image) {
	t.Helper()
	a, err := want.ConfigName()
	require.NoError(t, err)
	b, err := got.ConfigName()
	require.NoError(t, err)
	require.Equal(t, a, b)
}

// The layers that a reader has are left out, unless another image needs them in another
// place.
func TestWriteDockerTarOmits(t *testing.T) {
	images := two(t)
	var out bytes.Buffer
	require.NoError(t, WriteDockerTar(t.Context(), &out, images, lucidbase.LinuxAMD64, func([]v1.Hash) int { return 1 }))
	files := unpack(t, out.Bytes())
	require.Contains(t, string(files["manifest.json"]), "docker.io/lucid/base:also")
	require.NotContains(t, files, "index.json", "a layout that lacks blobs")
	blobs := 0
	for file := range files {
		if strings.HasPrefix(file, "blobs/") {
			blobs++
		}
	}
	require.Equal(t, 2*3, blobs, "of each the second layer, the config and the manifest")
}

func TestWriteTarOfDamagedBlobs(t *testing.T) {
	img := newExport(t).image("root")
	path := img.store.path(img.blobs[0].Digest)
	require.NoError(t, os.WriteFile(path, []byte("something else"), 0o600))
	images := []Named{{img.Index(), []name.Tag{tagged(t, "latest")}}}
	require.ErrorAs(t, WriteTar(t.Context(), io.Discard, images, nil), new(*DamagedError))
	require.ErrorContains(t, WriteDockerTar(t.Context(), io.Discard, images, ocispecs.Platform{OS: "linux", Architecture: "s390x"}, nil), "there is no image for linux/s390x")
}
