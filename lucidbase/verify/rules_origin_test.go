package verify

import (
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/stretchr/testify/require"
)

// found gives "path: found" of each finding of one rule under a contract.
func found(t *testing.T, rule string, img v1.Image, c Contract) []string {
	t.Helper()
	c.Only = []string{rule}
	var out []string
	for _, f := range findings(t, img, c) {
		out = append(out, f.Path+": "+f.Found)
	}
	return out
}

func TestBase(t *testing.T) {
	const nameLabel, digestLabel, locks = "org.opencontainers.image.base.name", "org.opencontainers.image.base.digest", "io.github.lucid-project.lock.digest"
	digest := "sha256:" + strings.Repeat("b2", 32)
	for name, c := range map[string]struct {
		labels, want map[string]string
		found        []string
	}{
		"both":                   {labels: map[string]string{nameLabel: "registry.example.com/debian:12", digestLabel: digest}},
		"locks alone":            {labels: map[string]string{locks: digest}},
		"name with true digest":  {labels: map[string]string{nameLabel: "debian@" + digest, digestLabel: digest}},
		"the lock's":             {labels: map[string]string{locks: digest}, want: map[string]string{locks: digest}},
		"none":                   {found: []string{"config:Labels: no label says what the image was made from"}},
		"empty":                  {labels: map[string]string{nameLabel: "", digestLabel: ""}, found: []string{"config:Labels: no label says"}},
		"name alone":             {labels: map[string]string{nameLabel: "debian:12"}, found: []string{"config:Labels." + digestLabel + ": missing"}},
		"digest alone":           {labels: map[string]string{digestLabel: digest}, found: []string{"config:Labels." + nameLabel + ": missing"}},
		"short digest":           {labels: map[string]string{nameLabel: "debian", digestLabel: "sha256:b2"}, found: []string{"config:Labels." + digestLabel + `: "sha256:b2" is no digest`}},
		"bad name":               {labels: map[string]string{nameLabel: "De Bian", digestLabel: digest}, found: []string{"config:Labels." + nameLabel + `: "De Bian" is no image reference`}},
		"name with other digest": {labels: map[string]string{nameLabel: "debian@sha256:" + strings.Repeat("c3", 32), digestLabel: digest}, found: []string{"config:Labels." + digestLabel + ": "}},
		"bad locks":              {labels: map[string]string{locks: "latest"}, found: []string{"config:Labels." + locks + `: "latest" is no digest`}},
		"other than the lock's":  {labels: map[string]string{locks: digest}, want: map[string]string{locks: "sha256:" + strings.Repeat("d4", 32)}, found: []string{"config:Labels." + locks + ": "}},
		"without the lock's":     {labels: map[string]string{locks: digest}, want: map[string]string{"other": "x"}, found: []string{`config:Labels.other: missing, the lock says "x"`}},
	} {
		t.Run(name, func(t *testing.T) {
			config := cleanConfig()
			config.Labels = c.labels
			got := found(t, "base", imageOf(t, config, cleanLayer()), Contract{Labels: c.want})
			startsWith(t, c.found, got)
		})
	}
}

func startsWith(t *testing.T, want, got []string) {
	t.Helper()
	require.Len(t, got, len(want), "%q", got)
	for i := range want {
		require.True(t, strings.HasPrefix(got[i], want[i]), "%q", got[i])
	}
}

func TestLockedPackages(t *testing.T) {
	layer := []tarEntry{
		file("/var/lib/dpkg/status.d/libc6", "Package: libc6\nVersion: 2.36-9\n"),
		file("/var/lib/dpkg/status.d/zlib1g", "Package: zlib1g\nVersion: 1:1.2\n"),
		file("/var/lib/dpkg/status.d/gone", "Package: gone\nVersion: 1\n"),
	}
	img := imageOf(t, cleanConfig(), layer, []tarEntry{whiteout("/var/lib/dpkg/status.d/gone")})
	require.Empty(t, found(t, "packages", img, Contract{}), "no lock is given")
	require.Empty(t, found(t, "packages", img, Contract{Packages: map[string]string{"libc6": "2.36-9", "zlib1g": "1:1.2"}}))
	require.Equal(t, []string{
		"/var/lib/dpkg/status.d/libc6: libc6 2.36-9, the lock says 2.36-8",
		"/var/lib/dpkg/status.d/zlib1g: zlib1g 1:1.2, which the lock does not have",
		"packages:gone: missing, the lock says 1",
	}, found(t, "packages", img, Contract{Packages: map[string]string{"libc6": "2.36-8", "gone": "1"}}))
}

func TestLockedDistributions(t *testing.T) {
	const site = "/opt/venv/lib/python3.11/site-packages"
	layer := append(cleanLayer(), distribution(site, "Big.Thing", "2.0", file("big/__init__.py", ""))...)
	layer = append(layer, distribution(site+"/big/_vendor", "carried", "3.0", file("c.py", ""))...)
	img := imageOf(t, cleanConfig(), layer)
	locked := map[string]string{"tiny": "1.0", "big-thing": "2.0"}
	require.Empty(t, found(t, "distributions", img, Contract{}), "no lock is given")
	require.Empty(t, found(t, "distributions", img, Contract{Distributions: locked}))
	locked = map[string]string{"big-thing": "2.1", "gone": "1"}
	startsWith(t, []string{
		site + "/Big.Thing-2.0.dist-info/METADATA: Big.Thing 2.0, the lock says 2.1",
		site + "/tiny-1.0.dist-info/METADATA: tiny 1.0, which the lock does not have",
		"distributions:gone: missing, the lock says 1",
	}, found(t, "distributions", img, Contract{Distributions: locked}))
}

func TestLockedLayers(t *testing.T) {
	img := imageOf(t, cleanConfig(), cleanLayer(), []tarEntry{file("/app/x", "x")})
	config, err := img.ConfigFile()
	require.NoError(t, err)
	ids := config.RootFS.DiffIDs
	require.Empty(t, found(t, "layers", img, Contract{Layers: ids[:1]}))
	require.Empty(t, found(t, "layers", img, Contract{Layers: ids}))
	require.Len(t, found(t, "layers", img, Contract{Layers: ids[1:]}), 1, "in another place")
	require.Equal(t, []string{"config:RootFS.DiffIDs: layer 3: missing, the lock says " + ids[0].String()},
		found(t, "layers", img, Contract{Layers: append(ids, ids[0])}))
}

func TestPlatform(t *testing.T) {
	for _, c := range []struct {
		os, arch, variant string
		want              v1.Platform
		found             []string
	}{
		{"linux", "amd64", "", v1.Platform{}, nil},
		{"linux", "arm64", "v8", v1.Platform{OS: "linux", Architecture: "arm64"}, nil},
		{"linux", "arm64", "", v1.Platform{OS: "linux", Architecture: "arm64", Variant: "v8"}, nil},
		{"linux", "arm", "v6", v1.Platform{OS: "linux", Architecture: "arm", Variant: "v6"}, nil},
		{"linux", "amd64", "", v1.Platform{OS: "linux", Architecture: "arm64"}, []string{`config:Architecture: "amd64", where the image is for linux/arm64`}},
		{"windows", "amd64", "", v1.Platform{OS: "linux", Architecture: "amd64"}, []string{`config:OS: "windows"`}},
		{"linux", "arm", "v6", v1.Platform{OS: "linux", Architecture: "arm", Variant: "v7"}, []string{`config:Variant: "v6"`}},
		{"linux", "amd64", "v3", v1.Platform{OS: "linux", Architecture: "amd64"}, []string{`config:Variant: "v3"`}},
		{"linux", "x86_64", "", v1.Platform{}, []string{`config:Architecture: "x86_64": no runtime knows it`}},
		{"Linux", "riscv64", "", v1.Platform{}, []string{`config:OS: "Linux": no runtime knows it`}},
		{"", "", "", v1.Platform{}, []string{"config:Architecture: empty", "config:OS: empty"}},
	} {
		config := &v1.ConfigFile{OS: c.os, Architecture: c.arch, Variant: c.variant}
		var got []string
		for _, f := range Check(config, nil, Contract{Platform: c.want, Only: []string{"platform"}}) {
			got = append(got, f.Path+": "+f.Found)
		}
		startsWith(t, c.found, got)
	}
}

func TestDiffID(t *testing.T) {
	good := imageOf(t, cleanConfig(), cleanLayer(), []tarEntry{file("/app/x", "x")})
	require.Empty(t, found(t, "diff-id", good, Contract{}))
	for name, c := range map[string]struct {
		change func(*v1.ConfigFile)
		found  []string
	}{
		"no history":        {func(c *v1.ConfigFile) { c.History = nil }, nil},
		"empty layers":      {func(c *v1.ConfigFile) { c.History = append(c.History, v1.History{EmptyLayer: true}) }, nil},
		"history too long":  {func(c *v1.ConfigFile) { c.History = append(c.History, v1.History{}) }, []string{"config:History: tells how 3 layers were made"}},
		"history too short": {func(c *v1.ConfigFile) { c.History = c.History[:1] }, []string{"config:History: tells how 1 layers were made"}},
		"swapped": {func(c *v1.ConfigFile) { d := c.RootFS.DiffIDs; d[0], d[1] = d[1], d[0] }, []string{
			"config:RootFS.DiffIDs: layer 1: says", "config:RootFS.DiffIDs: layer 2: says",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			config, err := good.ConfigFile()
			require.NoError(t, err)
			config = config.DeepCopy()
			c.change(config)
			img, err := mutate.ConfigFile(good, config)
			require.NoError(t, err)
			startsWith(t, c.found, found(t, "diff-id", img, Contract{}))
		})
	}
}

// withManifest is an image whose manifest says something else of its blobs.
type withManifest struct {
	v1.Image
	manifest *v1.Manifest
}

func (w withManifest) Manifest() (*v1.Manifest, error) { return w.manifest, nil }

func TestMediaType(t *testing.T) {
	good := imageOf(t, cleanConfig(), cleanLayer())
	for name, c := range map[string]struct {
		change func(*v1.Manifest)
		found  []string
	}{
		"OCI":              {func(*v1.Manifest) {}, nil},
		"OCI without type": {func(m *v1.Manifest) { m.MediaType = "" }, nil},
		"Docker": {func(m *v1.Manifest) {
			m.MediaType, m.Config.MediaType, m.Layers[0].MediaType = types.DockerManifestSchema2, types.DockerConfigJSON, types.DockerLayer
		}, nil},
		"Docker's config":     {func(m *v1.Manifest) { m.Config.MediaType = types.DockerConfigJSON }, []string{"manifest: Docker config in OCI manifest"}},
		"Docker's layer":      {func(m *v1.Manifest) { m.Layers[0].MediaType = types.DockerLayer }, []string{"manifest: layer 1: Docker layer in OCI manifest"}},
		"not zstd":            {func(m *v1.Manifest) { m.Layers[0].MediaType = types.OCILayerZStd }, []string{"manifest: layer 1: \"application/vnd.oci.image.layer.v1.tar+zstd\" says its compression is zstd, it is gzip"}},
		"not plain":           {func(m *v1.Manifest) { m.Layers[0].MediaType = types.OCIUncompressedLayer }, []string{"manifest: layer 1: \"application/vnd.oci.image.layer.v1.tar\" says its compression is none, it is gzip"}},
		"not distributable":   {func(m *v1.Manifest) { m.Layers[0].MediaType = types.OCIRestrictedLayer }, []string{"manifest: layer 1: "}},
		"encrypted":           {func(m *v1.Manifest) { m.Layers[0].MediaType += "+encrypted" }, []string{"manifest: layer 1: unknown media type"}},
		"config of something": {func(m *v1.Manifest) { m.Config.MediaType = "application/vnd.cncf.helm.config.v1+json" }, []string{"manifest: config of unknown media type"}},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := good.Manifest()
			require.NoError(t, err)
			m = m.DeepCopy()
			c.change(m)
			startsWith(t, c.found, found(t, "media-type", withManifest{good, m}, Contract{}))
		})
	}
}
