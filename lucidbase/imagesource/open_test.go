package imagesource

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/validate"
	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/testregistry"
)

// platforms is an index of an image for each architecture.
func platforms(t testing.TB, archs ...string) v1.ImageIndex {
	t.Helper()
	var idx v1.ImageIndex = empty.Index
	for _, arch := range archs {
		img, err := random.Image(256, 2)
		require.NoError(t, err)
		config, err := img.ConfigFile()
		require.NoError(t, err)
		config = config.DeepCopy()
		config.OS, config.Architecture = "linux", arch
		img, err = mutate.ConfigFile(img, config)
		require.NoError(t, err)
		idx = mutate.AppendManifests(idx, mutate.IndexAddendum{Add: img, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: arch}}})
	}
	return idx
}

// layoutOf writes a layout of one image for several platforms.
func layoutOf(t testing.TB, idx v1.ImageIndex) string {
	t.Helper()
	dir := t.TempDir()
	p, err := layout.Write(dir, empty.Index)
	require.NoError(t, err)
	require.NoError(t, p.AppendIndex(idx))
	return dir
}

// packed is a directory as a tar.
func packed(t testing.TB, dir string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	require.NoError(t, w.AddFS(os.DirFS(dir)))
	require.NoError(t, w.Close())
	return b.Bytes()
}

func written(t testing.TB, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(path, data, 0o600))
	return path
}

func zstandard(t testing.TB, data []byte) []byte {
	t.Helper()
	w, err := zstd.NewWriter(nil)
	require.NoError(t, err)
	return w.EncodeAll(data, nil)
}

// An image is the same from wherever it is read, byte for byte.
func TestOpen(t *testing.T) {
	idx := platforms(t, "amd64", "arm64")
	dir := layoutOf(t, idx)
	whole := packed(t, dir)
	for name, path := range map[string]string{"layout": dir, "tar": written(t, whole), "zstd": written(t, zstandard(t, whole))} {
		t.Run(name, func(t *testing.T) {
			a, err := Open(t.Context(), path)
			require.NoError(t, err)
			require.Len(t, a.Images, 1)
			require.Equal(t, path, a.Images[0].Name)
			require.True(t, a.Images[0].Hashed)
			require.Empty(t, a.Images[0].Notes)
			requireSame(t, idx, a.Images[0].Index)
			require.NoError(t, a.Close())
		})
	}
}

func TestFetch(t *testing.T) {
	r := testregistry.New(t)
	ref, err := name.ParseReference(r.Ref("lucid/both:v1"))
	require.NoError(t, err)
	idx := platforms(t, "amd64", "arm64")
	require.NoError(t, remote.WriteIndex(ref, idx))
	img, err := Fetch(t.Context(), ref, nil)
	require.NoError(t, err)
	require.True(t, img.Hashed)
	requireSame(t, idx, img.Index)
}

// requireSame reads every byte.
func requireSame(t *testing.T, want, got v1.ImageIndex) {
	t.Helper()
	require.NoError(t, validate.Index(got))
	wanted, err := want.Digest()
	require.NoError(t, err)
	digest, err := got.Digest()
	require.NoError(t, err)
	require.Equal(t, wanted, digest)
}

// A "docker save" archive has no manifest: one is made up, of layers as they are.
func TestOpenSaved(t *testing.T) {
	img, err := random.Image(256, 2)
	require.NoError(t, err)
	tag, err := name.NewTag("registry.example.com/lucid/saved:v1")
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "saved.tar")
	require.NoError(t, tarball.WriteToFile(path, tag, img))
	a, err := Open(t.Context(), path)
	require.NoError(t, err)
	defer a.Close()
	require.Len(t, a.Images, 1)
	require.False(t, a.Images[0].Hashed)
	m, err := a.Images[0].Index.IndexManifest()
	require.NoError(t, err)
	require.Len(t, m.Manifests, 1)
	opened, err := a.Images[0].Index.Image(m.Manifests[0].Digest)
	require.NoError(t, err)
	wanted, err := img.ConfigName()
	require.NoError(t, err)
	got, err := opened.ConfigName()
	require.NoError(t, err)
	require.Equal(t, wanted, got)
	layers, err := opened.Layers()
	require.NoError(t, err)
	require.Len(t, layers, 2)
	for _, l := range layers {
		diffID, err := l.DiffID()
		require.NoError(t, err)
		content, err := l.Uncompressed()
		require.NoError(t, err)
		read, _, err := v1.SHA256(content)
		require.NoError(t, err)
		require.Equal(t, diffID, read)
		require.NoError(t, content.Close())
	}
}

// "docker save" of one platform writes the index of all.
func TestOpenPart(t *testing.T) {
	idx := platforms(t, "amd64", "arm64")
	dir := layoutOf(t, idx)
	m, err := idx.IndexManifest()
	require.NoError(t, err)
	require.NoError(t, os.Remove(filepath.Join(dir, "blobs", "sha256", m.Manifests[1].Digest.Hex)))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "manifest.json"), []byte("[]"), 0o600))
	a, err := Open(t.Context(), dir)
	require.NoError(t, err)
	require.Equal(t, []string{dir + ": the archive does not hold the image for linux/arm64"}, a.Images[0].Notes)
	held, err := a.Images[0].Index.IndexManifest()
	require.NoError(t, err)
	require.Len(t, held.Manifests, 1)
	require.Equal(t, m.Manifests[0], held.Manifests[0])
}

// A layer is refused whole before its first byte is seen when its digest or its size is
// another.
func TestOpenLies(t *testing.T) {
	dir := layoutOf(t, platforms(t, "amd64"))
	layer := func() error {
		a, err := Open(t.Context(), dir)
		require.NoError(t, err)
		m, err := a.Images[0].Index.IndexManifest()
		require.NoError(t, err)
		img, err := a.Images[0].Index.Image(m.Manifests[0].Digest)
		require.NoError(t, err)
		layers, err := img.Layers()
		require.NoError(t, err)
		r, err := layers[0].Compressed()
		if err == nil {
			require.NoError(t, r.Close())
		}
		return err
	}
	require.NoError(t, layer())
	var changed string
	require.NoError(t, filepath.WalkDir(filepath.Join(dir, "blobs"), func(path string, d os.DirEntry, err error) error {
		require.NoError(t, err)
		if data, err := os.ReadFile(path); !d.IsDir() && changed == "" && err == nil && bytes.HasPrefix(data, []byte{0x1f, 0x8b}) {
			changed = path
			data[len(data)-1] ^= 1
			return os.WriteFile(path, data, 0o600)
		}
		return nil
	}))
	require.NotEmpty(t, changed)
	a, err := Open(t.Context(), dir)
	require.NoError(t, err)
	require.ErrorContains(t, validate.Index(a.Images[0].Index), "sha256:"+filepath.Base(changed)+": its content is sha256:")
}

// No name in an archive leads out of it.
func TestOpenStaysInside(t *testing.T) {
	parent := t.TempDir()
	secret := []byte(`{"rootfs":{"type":"layers","diff_ids":[]}}`)
	require.NoError(t, os.WriteFile(filepath.Join(parent, "secret"), secret, 0o600))
	dir := filepath.Join(parent, "image")
	require.NoError(t, os.Mkdir(dir, 0o700))
	list, err := json.Marshal([]tarball.Descriptor{{Config: "../secret"}})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "manifest.json"), list, 0o600))
	for _, path := range []string{dir, written(t, packed(t, dir))} {
		_, err = Open(t.Context(), path)
		require.ErrorIs(t, err, os.ErrNotExist)
	}
}

// FuzzOpen opens any bytes as an archive, and what it says is in it.
func FuzzOpen(f *testing.F) {
	f.Add(packed(f, layoutOf(f, platforms(f, "amd64"))))
	f.Add([]byte("\x1f\x8b\x08\x00"))
	f.Add([]byte{0x28, 0xb5, 0x2f, 0xfd})
	f.Fuzz(func(t *testing.T, data []byte) {
		a, err := Open(t.Context(), written(t, data))
		if err != nil {
			return
		}
		defer a.Close()
		require.NotEmpty(t, a.Images)
		for _, img := range a.Images {
			m, err := img.Index.IndexManifest()
			require.NoError(t, err)
			for _, desc := range m.Manifests {
				opened, err := img.Index.Image(desc.Digest)
				if err != nil {
					continue
				}
				layers, err := opened.Layers()
				require.NoError(t, err)
				for _, l := range layers {
					r, err := l.Uncompressed()
					if err != nil {
						continue
					}
					_, _ = io.Copy(io.Discard, io.LimitReader(r, 1<<20)) // an error is none of ours
					require.NoError(t, r.Close())
				}
			}
		}
	})
}
