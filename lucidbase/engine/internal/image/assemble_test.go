package image

import (
	"encoding/json"
	"io"
	"os"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/validate"
	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase"
)

func TestAssemble(t *testing.T) {
	e := newExport(t)
	arm := e.manifest(lucidbase.LinuxARM64, "root", "python")
	amd := e.manifest(lucidbase.LinuxAMD64, "root", "python", "more")
	s := NewStore(e.dir)
	img, err := s.Assemble(t.Context(), Gzip, e.index(arm, amd))
	require.NoError(t, err)
	require.NoError(t, validate.Index(img.Index()), "with every byte read")

	raw, err := s.readBlob(img.Digest)
	require.NoError(t, err)
	var index ocispecs.Index
	require.NoError(t, json.Unmarshal(raw, &index))
	require.Equal(t, ocispecs.MediaTypeImageIndex, index.MediaType)
	require.Empty(t, index.Annotations)
	require.Len(t, index.Manifests, 2)
	for i, p := range []ocispecs.Platform{lucidbase.LinuxAMD64, lucidbase.LinuxARM64} {
		require.Equal(t, &p, index.Manifests[i].Platform)
		require.Equal(t, p, img.Platforms[i].Platform)
		require.Equal(t, index.Manifests[i].Digest, img.Platforms[i].Digest)
	}
	for i, exported := range []ocispecs.Descriptor{amd, arm} {
		requireSameButLayers(t, s, exported.Digest, img.Platforms[i])
	}
}

func requireSameButLayers(t *testing.T, s *Store, exported digest.Digest, got Platform) {
	before, config, err := s.readManifest(exported)
	require.NoError(t, err)
	after, _, err := s.readManifest(got.Digest)
	require.NoError(t, err)
	var size int64
	for i, l := range after.Layers {
		want, err := s.Compress(t.Context(), config.RootFS.DiffIDs[i], Gzip)
		require.NoError(t, err)
		require.Equal(t, want, l, "and no annotations")
		size += l.Size
	}
	require.Equal(t, size, got.Size)
	before.Layers, after.Layers = nil, nil
	require.Equal(t, before, after, "the config and the manifest's annotations stay")
}

// The digests are for ever: a change here changes every image.
func TestAssembleBytes(t *testing.T) {
	e := newExport(t)
	img := e.image("root", "python")
	require.Equal(t, "sha256:c542f86107b7cf591eb787b2bb9247afd414a0554e5ea015846d63b49d2e3cc9", img.Digest.String())

	other := newExport(t)
	for range 5 {
		require.Equal(t, img.Digest, other.image("root", "python").Digest)
	}
}

func TestAssembleOnePlatform(t *testing.T) {
	e := newExport(t)
	manifest := e.manifest(lucidbase.LinuxARM64, "root")
	s := NewStore(e.dir)
	single, err := s.Assemble(t.Context(), Zstd, manifest.Digest)
	require.NoError(t, err)
	require.Len(t, single.Platforms, 1)
	require.Equal(t, lucidbase.LinuxARM64, single.Platforms[0].Platform)

	listed, err := s.Assemble(t.Context(), Zstd, e.index(manifest))
	require.NoError(t, err)
	require.Equal(t, single.Digest, listed.Digest)
}

// The contract reads layers: from the tar while it is there.
func TestUncompressed(t *testing.T) {
	e := newExport(t)
	img := e.image("root")
	m, err := img.Index().IndexManifest()
	require.NoError(t, err)
	platform, err := img.Index().Image(m.Manifests[0].Digest)
	require.NoError(t, err)
	layers, err := platform.Layers()
	require.NoError(t, err)
	diffID, err := layers[0].DiffID()
	require.NoError(t, err)
	read := func() string {
		rc, err := layers[0].Uncompressed()
		require.NoError(t, err)
		defer rc.Close()
		d, err := digest.FromReader(rc)
		require.NoError(t, err)
		return d.String()
	}
	gzipped := img.store.path(img.blobs[0].Digest)
	require.NoError(t, os.Rename(gzipped, gzipped+".away"))
	require.Equal(t, diffID.String(), read(), "not decompressed")
	require.NoError(t, os.Rename(gzipped+".away", gzipped))
	require.NoError(t, os.Remove(img.store.path(digest.Digest(diffID.String()))))
	require.Equal(t, diffID.String(), read(), "decompressed")

	_, err = platform.LayerByDigest(v1.Hash{Algorithm: "sha256", Hex: "00"})
	require.ErrorContains(t, err, "not in the image")
	byDiffID, err := platform.LayerByDiffID(diffID)
	require.NoError(t, err)
	require.Equal(t, layers[0], byDiffID)
	configDigest, err := platform.ConfigName()
	require.NoError(t, err)
	config, err := platform.LayerByDigest(configDigest)
	require.NoError(t, err)
	rc, err := config.Compressed()
	require.NoError(t, err)
	data, err := io.ReadAll(rc)
	require.NoError(t, err)
	want, err := platform.RawConfigFile()
	require.NoError(t, err)
	require.Equal(t, want, data)
}

func TestAssembleErrors(t *testing.T) {
	for _, tt := range []struct {
		name string
		top  func(e export) digest.Digest
		want string
	}{
		{"nothing there", func(export) digest.Digest { return digest.FromString("x") }, "no such file"},
		{"no digest", func(export) digest.Digest { return "../../etc/passwd" }, "invalid checksum digest format"},
		{"not JSON", func(e export) digest.Digest { return e.blob("", []byte("x")).Digest }, "parsing"},
		{"not OCI", func(e export) digest.Digest {
			return e.json("", ocispecs.Manifest{MediaType: "application/vnd.docker.distribution.manifest.v2+json"}).Digest
		}, "is not OCI's"},
		{"empty index", func(e export) digest.Digest { return e.index() }, "an index of nothing"},
		{"one platform twice", func(e export) digest.Digest {
			return e.index(e.manifest(lucidbase.LinuxAMD64, "a"), e.manifest(lucidbase.LinuxAMD64, "b"))
		}, "platform linux/amd64: two manifests"},
		{"no platform", func(e export) digest.Digest { return e.manifest(ocispecs.Platform{}, "a").Digest }, "its config names no platform"},
		{"compressed layers", func(e export) digest.Digest { return e.gzipped() }, "is not the uncompressed"},
		{"missing layer", func(e export) digest.Digest {
			m := e.manifest(lucidbase.LinuxAMD64, "a")
			require.NoError(e.t, os.Remove(NewStore(e.dir).path(e.layer("a").Digest)))
			return m.Digest
		}, "compressing layer sha256:"},
		{"manifest changed", func(e export) digest.Digest {
			m := e.manifest(lucidbase.LinuxAMD64, "a")
			require.NoError(e.t, os.WriteFile(NewStore(e.dir).path(m.Digest), []byte("{}"), 0o644))
			return m.Digest
		}, "its content is"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := newExport(t)
			top := tt.top(e)
			_, err := NewStore(e.dir).Assemble(t.Context(), Gzip, top)
			require.ErrorContains(t, err, "assembling an image: ")
			require.ErrorContains(t, err, tt.want)
			require.NotContains(t, err.Error(), "\n")
		})
	}
}

// gzipped is what an exporter makes that was not set to convert.
func (e export) gzipped() digest.Digest {
	tar := e.layer("a")
	return e.json(ocispecs.MediaTypeImageManifest, ocispecs.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2},
		MediaType: ocispecs.MediaTypeImageManifest,
		Config: e.json(ocispecs.MediaTypeImageConfig, ocispecs.Image{
			Platform: lucidbase.LinuxAMD64,
			RootFS:   ocispecs.RootFS{Type: "layers", DiffIDs: []digest.Digest{tar.Digest}},
		}),
		Layers: []ocispecs.Descriptor{e.blob(ocispecs.MediaTypeImageLayerGzip, []byte("gzip"))},
	}).Digest
}

func TestOpenChecksBlobs(t *testing.T) {
	e := newExport(t)
	img := e.image("root")
	layer := img.blobs[0]
	require.NoError(t, os.Truncate(img.store.path(layer.Digest), 3))
	_, err := img.store.open(img.Digest)
	require.ErrorContains(t, err, layer.Digest.String()+": 3 bytes, not ")
	require.NoFileExists(t, img.store.path(layer.Digest), "so that it is made again")
	_, err = img.store.open(img.Digest)
	require.ErrorContains(t, err, layer.Digest.Encoded())
}
