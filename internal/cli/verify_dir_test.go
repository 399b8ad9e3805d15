package cli

import (
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/v1image"
)

// transportDir writes an image as podman and skopeo do into a directory: with its
// layers as they are, or unpacked while the manifest says that they are compressed.
func transportDir(t *testing.T, img v1.Image, unpacked bool) string {
	t.Helper()
	dir := t.TempDir()
	write := func(name string, data []byte) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), data, 0o600))
	}
	write("version", []byte("Directory Transport Version: 1.1\n"))
	raw, err := img.RawManifest()
	require.NoError(t, err)
	config, err := img.RawConfigFile()
	require.NoError(t, err)
	write(v1image.Hash(config).Hex, config)
	layers, err := img.Layers()
	require.NoError(t, err)
	m := v1.Manifest{SchemaVersion: 2, MediaType: types.DockerManifestSchema2, Config: v1.Descriptor{MediaType: types.DockerConfigJSON, Digest: v1image.Hash(config), Size: int64(len(config))}}
	for _, layer := range layers {
		open := layer.Compressed
		if unpacked {
			open = layer.Uncompressed
		}
		r, err := open()
		require.NoError(t, err)
		data, err := io.ReadAll(r)
		require.NoError(t, err)
		write(v1image.Hash(data).Hex, data)
		m.Layers = append(m.Layers, v1.Descriptor{MediaType: types.DockerLayer, Digest: v1image.Hash(data), Size: int64(len(data))})
	}
	if unpacked {
		raw, err = json.Marshal(m)
		require.NoError(t, err)
	}
	write("manifest.json", raw)
	return dir
}

// signed is what "cosign save" writes: a layout of the image, its signatures and its
// attestations, each of which is a manifest with an image's config.
func signed(t *testing.T, add func(p layout.Path)) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "signed")
	p, err := layout.Write(dir, empty.Index)
	require.NoError(t, err)
	add(p)
	for kind, mediaType := range map[string]types.MediaType{
		"sigs": "application/vnd.dev.cosign.simplesigning.v1+json", "atts": "application/vnd.dsse.envelope.v1+json", "sboms": "text/spdx+json",
	} {
		require.NoError(t, p.AppendImage(beside(t, mediaType), layout.WithAnnotations(map[string]string{"kind": "dev.cosignproject.cosign/" + kind})))
	}
	return dir
}

func beside(t *testing.T, mediaType types.MediaType) v1.Image {
	t.Helper()
	img := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	img, err := mutate.Append(img, mutate.Addendum{Layer: static.NewLayer([]byte(`{"critical":{}}`), mediaType), MediaType: mediaType})
	require.NoError(t, err)
	return img
}

// attested is an index as docker buildx writes it: beside each image what it was made
// from, for a platform that there is not.
func attested(t *testing.T, annotated bool) v1.ImageIndex {
	t.Helper()
	idx := index(t, "amd64", "arm64")
	m, err := idx.IndexManifest()
	require.NoError(t, err)
	for _, desc := range m.Manifests {
		d := v1.Descriptor{Platform: &v1.Platform{OS: "unknown", Architecture: "unknown"}}
		if annotated {
			d.Annotations = map[string]string{"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": desc.Digest.String()}
		}
		idx = mutate.AppendManifests(idx, mutate.IndexAddendum{Add: beside(t, "application/vnd.in-toto+json"), Descriptor: d})
	}
	return idx
}

func TestVerifyDirectories(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	const amd64, arm64 = "world-writable /amd64", "world-writable /arm64"
	img := worldWritable(t, "amd64", "amd64")
	packed := transportDir(t, img, false)
	unpacked := transportDir(t, img, true)
	outer := t.TempDir()
	require.NoError(t, os.Rename(transportDir(t, img, true), filepath.Join(outer, "image")))
	images := func(p layout.Path) { require.NoError(t, p.AppendImage(img)) }
	indexes := func(p layout.Path) { require.NoError(t, p.AppendIndex(index(t, "amd64", "arm64"))) }
	platforms := func(p layout.Path) {
		for _, arch := range []string{"amd64", "arm64"} {
			require.NoError(t, p.AppendImage(worldWritable(t, arch, arch), layout.WithPlatform(v1.Platform{OS: "linux", Architecture: arch})))
		}
	}
	buildx := func(annotated bool) func(layout.Path) {
		return func(p layout.Path) { require.NoError(t, p.AppendIndex(attested(t, annotated))) }
	}
	cosigned := signed(t, images)
	for what, c := range map[string]struct {
		ref   string
		found []string
	}{
		"podman save --format docker-dir": {unpacked, []string{amd64}},
		"a tar of it":                     {tarOf(t, unpacked, true), []string{amd64}},
		"a tar of it, with its directory": {tarOf(t, outer, false), []string{amd64}},
		"skopeo copy to dir:":             {packed, []string{amd64}},
		"cosign save":                     {cosigned, []string{amd64}},
		"a tar of cosign's":               {tarOf(t, cosigned, false), []string{amd64}},
		"cosign save of an index":         {signed(t, indexes), []string{amd64, arm64}},
		"cosign save of platforms":        {signed(t, platforms), []string{amd64, arm64}},
		"docker buildx with attestations": {signed(t, buildx(true)), []string{amd64, arm64}},
		"attestations without a mark":     {signed(t, buildx(false)), []string{amd64, arm64}},
	} {
		t.Run(what, func(t *testing.T) {
			report, status := verifyJSON(t, c.ref, "--only", "world-writable,media-type,diff-id,index")
			require.Equal(t, 1, status)
			var found []string
			for _, image := range report.Images {
				for _, f := range image.Findings {
					found = append(found, f.Rule+" "+f.Path)
				}
			}
			require.Equal(t, c.found, found)
		})
	}
}

// A signature alone is no image, and a word in an index hides none.
func TestVerifyBeside(t *testing.T) {
	alone := signed(t, func(layout.Path) {})
	status, out, errOut := run(t, nil, "verify", alone)
	require.Equal(t, statusUnread, status, out)
	require.Contains(t, errOut, "no image")

	hidden := signed(t, func(p layout.Path) {
		require.NoError(t, p.AppendImage(worldWritable(t, "amd64", "amd64"), layout.WithAnnotations(map[string]string{"kind": "dev.cosignproject.cosign/sigs"})))
	})
	status, out, _ = run(t, nil, "verify", hidden)
	require.Equal(t, 1, status)
	require.Contains(t, out, "world-writable: /amd64")
}

// The real tools' directories are read, where they are installed.
func TestVerifyRealTools(t *testing.T) {
	source := layoutOf(t, "amd64", "arm64")
	for _, c := range [][]string{
		{"skopeo", "copy", "--all", "oci:" + source, "dir:"},
		{"skopeo", "copy", "--override-arch", "amd64", "--format", "v2s2", "oci:" + source, "dir:"},
	} {
		if _, err := exec.LookPath(c[0]); err != nil {
			require.Empty(t, os.Getenv("LUCID_REQUIRE_ENGINE"), "skopeo is not installed")
			t.Skip("skopeo is not installed")
		}
		dir := filepath.Join(t.TempDir(), "image")
		c[len(c)-1] += dir
		out, err := exec.Command(c[0], c[1:]...).CombinedOutput()
		require.NoError(t, err, string(out))
		status, text, errOut := run(t, nil, "verify", "--only", "world-writable,media-type,index", dir)
		require.Equal(t, 1, status, text+errOut)
		require.Contains(t, text, "world-writable: /amd64")
	}
}
