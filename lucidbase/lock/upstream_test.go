package lock

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

func testImage() Upstream {
	d := "sha256:" + strings.Repeat("a", 64)
	zones := Package{Name: "tzdata", Version: "2025b", Archive: "debian", Path: "pool/tzdata.deb", Size: 7, SHA256: strings.Repeat("0", 64)}
	return Upstream{
		Reference: "docker.io/library/python:3.11-alpine3.23",
		Digest:    d,
		Platforms: map[string]UpstreamPlatform{"linux/amd64": {
			Manifest: d,
			Python:   "3.11.14",
			Rootfs:   Layer{Digest: d, Size: 1024, Packages: []Package{zones}},
			Headers:  Layer{Digest: d, Size: 512, Packages: []Package{}},
			Kept:     []ApkPackage{{"libssl3", "3.3.2-r0"}, {"musl", "1.2.5-r0"}},
			Dev:      UpstreamDev{Layer{Digest: d, Size: 2048, Packages: []Package{}}, []ApkPackage{{"busybox", "1.37.0-r0"}}},
		}},
	}
}

func TestParseUpstream(t *testing.T) {
	for _, want := range []Upstream{testImage(), testImage().Pin()} {
		got, err := ParseUpstream("alpine.json", want.Format())
		require.NoError(t, err)
		require.Equal(t, want, got)
		require.Equal(t, want.Format(), got.Format())
	}
}

func TestParseUpstreamRefuses(t *testing.T) {
	platform := func(edit func(p *UpstreamPlatform)) func(*Upstream) {
		return func(im *Upstream) {
			p := im.Platforms["linux/amd64"]
			edit(&p)
			im.Platforms["linux/amd64"] = p
		}
	}
	for name, c := range map[string]struct {
		edit func(im *Upstream)
		want string
	}{
		"no tag":       {func(im *Upstream) { im.Reference = "docker.io/library/python" }, `line 2: reference "docker.io/library/python": not REGISTRY/REPOSITORY:TAG`},
		"no registry":  {func(im *Upstream) { im.Reference = "python:3" }, `line 2: reference "python:3"`},
		"digest":       {func(im *Upstream) { im.Digest = "sha256:0" }, `line 3: digest "sha256:0" is not a SHA-256 digest`},
		"manifest":     {platform(func(p *UpstreamPlatform) { p.Manifest = "" }), `line 6: linux/amd64: manifest "" is not`},
		"python":       {platform(func(p *UpstreamPlatform) { p.Python = "3.12.1" }), `line 7: linux/amd64: python "3.12.1" is no version of Python 3.11`},
		"layer":        {platform(func(p *UpstreamPlatform) { p.Rootfs.Size = 0 }), "line 10: linux/amd64 rootfs: size 0 is not positive"},
		"package":      {platform(func(p *UpstreamPlatform) { p.Rootfs.Packages[0].Path = "/x" }), `linux/amd64 rootfs: package tzdata: path "/x"`},
		"archive":      {platform(func(p *UpstreamPlatform) { p.Rootfs.Packages[0].Archive = "../x" }), `archive "../x" has no suite`},
		"headers":      {platform(func(p *UpstreamPlatform) { p.Headers.Digest = "" }), `linux/amd64 headers: digest "" is not`},
		"kept version": {platform(func(p *UpstreamPlatform) { p.Kept[0].Version = "" }), `linux/amd64: kept package "libssl3": name or version is missing`},
		"dev":          {platform(func(p *UpstreamPlatform) { p.Dev.Added.Size = 0 }), "linux/amd64 dev: size 0 is not positive"},
		"dev version":  {platform(func(p *UpstreamPlatform) { p.Dev.Kept[0].Version = "" }), `linux/amd64 dev: kept package "busybox": name or version is missing`},
		"kept order":   {platform(func(p *UpstreamPlatform) { p.Kept[1].Name = "a" }), "linux/amd64: kept package a: listed twice or not in order"},
	} {
		t.Run(name, func(t *testing.T) {
			im := testImage()
			c.edit(&im)
			_, err := ParseUpstream("alpine.json", im.Format())
			require.ErrorContains(t, err, "parsing alpine.json: ")
			require.ErrorContains(t, err, c.want)
		})
	}
	for text, want := range map[string]string{
		"{":                "line 1",
		`{"unknown": 1}`:   "unknown",
		"{}\n{}":           "text after the lock's end",
		`{"digest": true}`: "line 1",
	} {
		_, err := ParseUpstream("alpine.json", []byte(text))
		require.ErrorContains(t, err, want, text)
	}
}

func FuzzParseUpstream(f *testing.F) {
	f.Add(testImage().Format())
	f.Fuzz(func(t *testing.T, data []byte) {
		im, err := ParseUpstream("alpine.json", data)
		if err != nil {
			return
		}
		again, err := ParseUpstream("alpine.json", im.Format())
		require.NoError(t, err)
		require.Equal(t, im.Format(), again.Format())
	})
}

// A set may do without an Alpine base.
func TestReadWithoutImage(t *testing.T) {
	own, err := Default()
	require.NoError(t, err)
	require.NotEmpty(t, own.Alpine.Digest)
	files := fstest.MapFS{}
	for name, data := range own.Files() {
		files[name] = &fstest.MapFile{Data: data}
	}
	set, err := ReadSet(files)
	require.NoError(t, err)
	require.Equal(t, own.Alpine, set.Alpine)
	delete(files, AlpineFile)
	set, err = ReadSet(files)
	require.NoError(t, err)
	require.NotContains(t, set.Files(), AlpineFile)
	files[AlpineFile] = &fstest.MapFile{Data: []byte("{}")}
	_, err = ReadSet(files)
	require.ErrorContains(t, err, "parsing alpine.json: line 1: reference")
}

// The digest of what an image is made from is of its content, however it became
// known.
func TestImageDigest(t *testing.T) {
	set := &Set{Alpine: testImage(), Python: map[Tier]Packages{Minimal: testPackages()}}
	p := set.Alpine.Platforms["linux/amd64"]
	want := set.UpstreamDigest(p, Minimal, Packages{})
	set.Alpine = set.Alpine.Pin()
	require.Equal(t, want, set.UpstreamDigest(p, Minimal, Packages{}))
	require.NotEqual(t, want, set.UpstreamDigest(p, Minimal, Packages{Requirements: Requirements{{Name: "x", Version: "1"}}}))
	other := testPackages()
	other.Requirements[0].Wheels[0].SHA256 = strings.Repeat("9", 64)
	set.Python[Minimal] = other
	require.NotEqual(t, want, set.UpstreamDigest(p, Minimal, Packages{}))
	set.Python[Minimal] = testPackages()
	p.Rootfs.Digest = ""
	require.NotEqual(t, want, set.UpstreamDigest(p, Minimal, Packages{}))
}
