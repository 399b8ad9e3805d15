package image

import (
	"context"
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/validate"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/atomicfile"
	"github.com/lucid-project/base-images/internal/testregistry"
	"github.com/lucid-project/base-images/lucidbase/imagesource"
)

// tagged is the name that the layouts' images have.
func tagged(t *testing.T, tag string) name.Tag {
	full, err := name.NewTag("lucid/base:" + tag)
	require.NoError(t, err)
	return full
}

// Docker, containerd and Podman spell names out; a registry of one's own stays.
func TestWholeName(t *testing.T) {
	for short, whole := range map[string]string{
		"lucid/base:latest":                  "docker.io/lucid/base:latest",
		"base:v1":                            "docker.io/library/base:v1",
		"docker.io/lucid/base:v1":            "docker.io/lucid/base:v1",
		"index.docker.io/lucid/base:v1":      "docker.io/lucid/base:v1",
		"127.0.0.1:5000/a/b/base:v1":         "127.0.0.1:5000/a/b/base:v1",
		"registry.example.com/lucid/base:v1": "registry.example.com/lucid/base:v1",
	} {
		tag, err := name.NewTag(short)
		require.NoError(t, err)
		require.Equal(t, whole, WholeName(tag), short)
	}
}

// requireLayout reads dir as others do.
func requireLayout(t *testing.T, dir string, img *Image, tag string) {
	l, err := layout.FromPath(dir)
	require.NoError(t, err)
	top, err := l.ImageIndex()
	require.NoError(t, err)
	require.NoError(t, validate.Index(top), "with every byte read")
	m, err := top.IndexManifest()
	require.NoError(t, err)
	require.Len(t, m.Manifests, 1)
	require.Equal(t, img.Digest.String(), m.Manifests[0].Digest.String())
	require.EqualValues(t, ocispecs.MediaTypeImageIndex, m.Manifests[0].MediaType)
	require.Equal(t, map[string]string{
		"org.opencontainers.image.ref.name": tag,
		"io.containerd.image.name":          "docker.io/lucid/base:" + tag,
	}, m.Manifests[0].Annotations)

	want := []string{"index.json", "oci-layout"}
	for _, desc := range img.blobs {
		want = append(want, filepath.Join("blobs", "sha256", desc.Digest.Encoded()))
	}
	require.ElementsMatch(t, want, slices.Collect(maps.Keys(snapshot(t, dir))), "nothing more, nothing less")
}

func TestWriteLayout(t *testing.T) {
	e := newExport(t)
	dir := filepath.Join(t.TempDir(), "dist", "base")
	first := e.image("root", "one")
	require.NoError(t, WriteLayout(t.Context(), first.Index(), dir, tagged(t, "latest")))
	requireLayout(t, dir, first, "latest")

	before := snapshot(t, dir)
	require.NoError(t, WriteLayout(t.Context(), first.Index(), dir, tagged(t, "latest")))
	require.Equal(t, before, snapshot(t, dir), "nothing is written again")

	second := e.image("root", "two")
	require.NoError(t, os.WriteFile(filepath.Join(dir, atomicfile.Prefix+"left-by-a-killed-process"), nil, 0o644))
	require.NoError(t, WriteLayout(t.Context(), second.Index(), dir, tagged(t, "v1.0.0")))
	requireLayout(t, dir, second, "v1.0.0")
	shared := filepath.Join("blobs", "sha256", first.blobs[0].Digest.Encoded())
	require.Equal(t, before[shared], snapshot(t, dir)[shared], "the shared layer stays")
}

func TestWriteLayoutOfTwoTags(t *testing.T) {
	dir := t.TempDir()
	img := newExport(t).image("root")
	require.NoError(t, WriteLayout(t.Context(), img.Index(), dir, tagged(t, "v1.0.0"), tagged(t, "stable")))
	p, err := layout.FromPath(dir)
	require.NoError(t, err)
	top, err := p.ImageIndex()
	require.NoError(t, err)
	require.NoError(t, validate.Index(top))
	m, err := top.IndexManifest()
	require.NoError(t, err)
	require.Len(t, m.Manifests, 2)
	for i, tag := range []string{"v1.0.0", "stable"} {
		require.Equal(t, tag, m.Manifests[i].Annotations["org.opencontainers.image.ref.name"])
		require.Equal(t, img.Digest.String(), m.Manifests[i].Digest.String())
	}
	images, err := imagesource.Open(t.Context(), dir)
	require.NoError(t, err)
	defer images.Close()
	require.Len(t, images.Images, 1, "verified and run once")
}

func TestWriteLayoutCopies(t *testing.T) {
	e := newExport(t)
	dir := t.TempDir()
	img := e.image("root")
	require.NoError(t, WriteLayout(t.Context(), img.Index(), dir, tagged(t, "latest")))
	inLayout := filepath.Join(dir, "blobs", "sha256", img.blobs[0].Digest.Encoded())
	require.NoError(t, os.Truncate(inLayout, 0))
	require.NoError(t, img.check(), "the store has a file of its own")

	require.NoError(t, WriteLayout(t.Context(), img.Index(), dir, tagged(t, "latest")))
	requireLayout(t, dir, img, "latest")
}

// The last layer that is copied turns out to be broken: as good as a full disk.
func TestWriteLayoutInterrupted(t *testing.T) {
	breakLast := func(t *testing.T, img *Image) {
		layers := img.Layers()
		digest, err := layers[len(layers)-1].Digest()
		require.NoError(t, err)
		path := filepath.Join(img.store.dir, "blobs", "sha256", digest.Hex)
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		data[0] ^= 1
		require.NoError(t, os.WriteFile(path, data, 0o644))
	}
	t.Run("new directory", func(t *testing.T) {
		img := newExport(t).image("root")
		breakLast(t, img)
		dir := filepath.Join(t.TempDir(), "base")
		err := WriteLayout(t.Context(), img.Index(), dir, tagged(t, "latest"))
		require.ErrorContains(t, err, "writing layout "+dir+": blob sha256:")
		require.ErrorContains(t, err, "its content is")
		require.NoDirExists(t, dir)
	})
	t.Run("empty directory", func(t *testing.T) {
		img := newExport(t).image("root")
		breakLast(t, img)
		dir := t.TempDir()
		require.Error(t, WriteLayout(t.Context(), img.Index(), dir, tagged(t, "latest")))
		entries, err := os.ReadDir(dir)
		require.NoError(t, err)
		require.Empty(t, entries)
	})
	t.Run("earlier image", func(t *testing.T) {
		e := newExport(t)
		dir := filepath.Join(t.TempDir(), "base")
		old := e.image("root", "one")
		require.NoError(t, WriteLayout(t.Context(), old.Index(), dir, tagged(t, "latest")))
		before := snapshot(t, dir)
		img := e.image("root", "two")
		breakLast(t, img)
		require.Error(t, WriteLayout(t.Context(), img.Index(), dir, tagged(t, "latest")))
		requireLayout(t, dir, old, "latest")
		require.Equal(t, before, snapshot(t, dir))
	})
	t.Run("cancelled", func(t *testing.T) {
		img := newExport(t).image("root")
		dir := filepath.Join(t.TempDir(), "base")
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		require.ErrorIs(t, WriteLayout(ctx, img.Index(), dir, tagged(t, "latest")), context.Canceled)
		require.NoDirExists(t, dir)
	})
	t.Run("killed before its end", func(t *testing.T) {
		img := newExport(t).image("root")
		dir := t.TempDir()
		w := &layoutWriter{dir: dir}
		blobs, err := Blobs(img.Index())
		require.NoError(t, err)
		require.NoError(t, w.prepare())
		require.NoError(t, w.copyBlob(t.Context(), blobs[0]))
		require.NoError(t, WriteLayout(t.Context(), img.Index(), dir, tagged(t, "latest")), "the next write goes on with it")
		requireLayout(t, dir, img, "latest")
	})
}

func TestWriteLayoutElsewhere(t *testing.T) {
	img := newExport(t).image("root")
	dir := t.TempDir()
	file := filepath.Join(dir, "notes.txt")
	require.NoError(t, os.WriteFile(file, []byte("mine"), 0o644))
	for target, want := range map[string]string{
		file:                       "it is a file",
		dir:                        "the directory has other files in it and is no OCI layout",
		filepath.Join(file, "sub"): "not a directory",
	} {
		err := WriteLayout(t.Context(), img.Index(), target, tagged(t, "latest"))
		require.ErrorContains(t, err, "writing layout "+target+": ")
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), "\n")
	}
	require.Equal(t, []string{"notes.txt"}, slices.Collect(maps.Keys(snapshot(t, dir))))
}

// skopeo is how people get a layout into Docker or a registry.
func TestSkopeo(t *testing.T) {
	if _, err := exec.LookPath("skopeo"); err != nil {
		if os.Getenv("LUCID_REQUIRE_ENGINE") == "1" {
			t.Fatal("skopeo is not installed, but LUCID_REQUIRE_ENGINE=1")
		}
		t.Skip("skopeo is not installed")
	}
	skopeo := func(args ...string) []byte {
		out, err := exec.Command("skopeo", append([]string{"--insecure-policy"}, args...)...).Output()
		require.NoError(t, err, "skopeo %s", strings.Join(args, " "))
		return out
	}
	dir := filepath.Join(t.TempDir(), "base")
	img := newExport(t).image("root", "one")
	require.NoError(t, WriteLayout(t.Context(), img.Index(), dir, tagged(t, "v1.0.0")))

	var raw ocispecs.Index
	require.NoError(t, json.Unmarshal(skopeo("inspect", "--raw", "oci:"+dir+":v1.0.0"), &raw))
	require.Len(t, raw.Manifests, 2)
	for _, arch := range []string{"amd64", "arm64"} {
		var info struct{ Architecture string }
		require.NoError(t, json.Unmarshal(skopeo("--override-arch", arch, "inspect", "oci:"+dir+":v1.0.0"), &info))
		require.Equal(t, arch, info.Architecture)
	}

	r := testregistry.New(t)
	skopeo("copy", "--all", "--dest-tls-verify=false", "oci:"+dir+":v1.0.0", "docker://"+r.Ref("lucid/base:v1.0.0"))
	ref, err := name.ParseReference(r.Ref("lucid/base:v1.0.0"))
	require.NoError(t, err)
	got, err := remote.Index(ref)
	require.NoError(t, err)
	digest, err := got.Digest()
	require.NoError(t, err)
	require.Equal(t, img.Digest.String(), digest.String())
	require.NoError(t, validate.Index(got))
}
