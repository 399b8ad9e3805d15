package alpine

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/debtest"
	"github.com/lucid-project/base-images/internal/mirror"
	"github.com/lucid-project/base-images/internal/patient"
	"github.com/lucid-project/base-images/internal/supply"
	"github.com/lucid-project/base-images/internal/testregistry"
	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/lock"
	"github.com/lucid-project/base-images/lucidbase/rootfs/debian"
)

const officialTag = "docker.io/library/python:3.11-alpine3.23"

// push puts the image into a registry below "hub", for AMD64 alone, and returns its
// lock. Its second layer is compressed, as the others are not.
func (f *imageFixture) push(r *testregistry.Registry, env ...string) lock.Upstream {
	f.t.Helper()
	img := mutate.MediaType(empty.Image, types.OCIManifestSchema1)
	var err error
	for _, tar := range f.tars() {
		img, err = mutate.AppendLayers(img, static.NewLayer(tar, types.OCIUncompressedLayer))
		require.NoError(f.t, err)
	}
	config, err := img.ConfigFile()
	require.NoError(f.t, err)
	config = config.DeepCopy()
	config.OS, config.Architecture, config.Config.Env = "linux", "amd64", env
	img, err = mutate.ConfigFile(img, config)
	require.NoError(f.t, err)
	index := mutate.AppendManifests(mutate.IndexMediaType(empty.Index, types.OCIImageIndex),
		mutate.IndexAddendum{Add: img, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "amd64"}}})
	tag, err := name.NewTag(r.Ref("hub/library/python:3.11-alpine3.23"))
	require.NoError(f.t, err)
	require.NoError(f.t, remote.WriteIndex(tag, index, remote.WithAuthFromKeychain(authn.DefaultKeychain)))
	d, err := index.Digest()
	require.NoError(f.t, err)
	return lock.Upstream{Reference: officialTag, Digest: d.String()}
}

// upstreamTest is a registry with the small image, and how to reach it.
type upstreamTest struct {
	*Registries
	registry *testregistry.Registry
	image    lock.Upstream
	debian   lock.Debian
}

func newUpstream(t testing.TB, opts ...testregistry.Option) *upstreamTest {
	t.Helper()
	u := &upstreamTest{registry: testregistry.New(t, opts...)}
	u.image = alpine(t).push(u.registry, "PATH=/usr/bin", "PYTHON_VERSION=3.11.9")
	u.Registries = u.newRegistries(t)
	return u
}

// images has nothing in its cache but Debian's init and time zones.
func (u *upstreamTest) newRegistries(t testing.TB) *Registries {
	t.Helper()
	zones := debtest.Package{Name: "tzdata", Architecture: "all", Entries: []tar.Header{
		debtest.Dir("./usr/share/zoneinfo/"), debtest.Regular("./usr/share/zoneinfo/UTC", 0o644), debtest.Link("./usr/share/zoneinfo/localtime", "/etc/localtime"),
		debtest.Regular("./usr/share/doc/tzdata/copyright", 0o644), debtest.Regular("./usr/sbin/tzconfig", 0o755),
	}}
	init := debtest.Package{Name: "tini", Architecture: "amd64", Entries: []tar.Header{
		debtest.Regular("./usr/bin/tini", 0o755), debtest.Regular("./usr/bin/tini-static", 0o755), debtest.Regular("./usr/share/doc/tini/copyright", 0o644),
	}}
	cache := t.TempDir()
	var locked lock.Layer
	for _, f := range []debtest.Package{init, zones} {
		file, p := f.Deb(t)
		debtest.FillCache(t, cache, map[string][]byte{p.SHA256: file})
		locked.Packages = append(locked.Packages, p)
	}
	u.debian = lock.Debian{Platforms: map[string]lock.DebianPlatform{"linux/amd64": {Rootfs: locked}}}
	mirrors, err := ParseMirrors("docker.io=" + u.registry.Host + "/hub")
	require.NoError(t, err)
	return &Registries{Cache: cache, Mirrors: mirrors, Archives: &debian.Archives{Cache: cache}}
}

func (u *upstreamTest) resolve(t testing.TB, m *Registries) (lock.UpstreamPlatform, error) {
	return m.Resolve(t.Context(), u.image, u.debian, lucidbase.LinuxAMD64)
}

func (u *upstreamTest) input(kind lucidbase.InputKind, layer lock.Layer) lucidbase.Input {
	return lucidbase.Input{Kind: kind, Platform: lucidbase.LinuxAMD64, Layer: layer, Upstream: u.image}
}

func TestResolve(t *testing.T) {
	u := newUpstream(t)
	found, err := u.resolve(t, u.Registries)
	require.NoError(t, err)
	require.Equal(t, "3.11.9", found.Python)
	require.Len(t, found.Rootfs.Packages, 2)
	require.Contains(t, found.Kept, lock.ApkPackage{Name: "musl", Version: "1"})

	var layer bytes.Buffer
	_, err = u.Layer(t.Context(), u.input(supply.ImageRootfs, found.Rootfs), &layer)
	require.NoError(t, err)
	got := debtest.Listing(t, layer.Bytes())
	for name, line := range map[string]string{
		"app": "5 755 65532:65532", "tmp": "5 1777 0:0", "root": "5 700 0:0", "proc": "5 755 0:0", "lib": "2 777 0:0 usr/lib",
		"etc/group":                      "0 644 0:0 root:x:0:\nstaff:x:50:\nnobody:x:65534:\nnonroot:x:65532:\n",
		"usr/share/zoneinfo/UTC":         "0 644 0:0 ",
		"usr/share/doc/tzdata/copyright": "0 644 0:0 ",
		"var/lib/dpkg/status.d/tzdata":   "0 644 0:0 Package: tzdata\nVersion: 1\nArchitecture: all\n",
		"var/lib/dpkg/status.d/tini":     "0 644 0:0 Package: tini\nVersion: 1\nArchitecture: amd64\n",
		"usr/bin/tini":                   "2 777 0:0 tini-static",
		"usr/bin/tini-static":            "0 755 0:0 ",
		"usr/local/bin/python":           "2 777 0:0 python3",
		"usr/local/lib/python3.11/os.py": "0 644 0:0 x",
		"usr/lib/libc.musl-x86_64.so.1":  "2 777 0:0 ld-musl-x86_64.so.1",
		"usr/lib/apk/db/installed":       got["usr/lib/apk/db/installed"],
	} {
		require.NotEmpty(t, line, name)
		require.Equal(t, line, got[name], name)
	}
	require.Contains(t, got["etc/passwd"], "65532")
	for _, name := range []string{"usr/sbin/tzconfig", "usr/share/zoneinfo/localtime", "bin/sh", "usr/local/bin/pip"} {
		require.NotContains(t, got, name)
	}

	layer.Reset()
	_, err = u.Layer(t.Context(), u.input(supply.ImageHeaders, found.Headers), &layer)
	require.NoError(t, err)
	require.ElementsMatch(t, []string{
		"usr", "usr/local", "usr/local/include", "usr/local/include/python3.11", "usr/local/include/python3.11/pyconfig.h",
		"usr/local/lib", "usr/local/lib/python3.11", "usr/local/lib/python3.11/_sysconfigdata__linux_x86_64-linux-musl.py",
	}, slices.Collect(maps.Keys(debtest.Listing(t, layer.Bytes()))))
}

// The same image has the same layers, from the cache and from nothing, and what
// is in the cache is asked for no more.
func TestResolveAgain(t *testing.T) {
	u := newUpstream(t)
	want, err := u.resolve(t, u.Registries)
	require.NoError(t, err)
	u.registry.Reset()
	got, err := u.resolve(t, u.Registries)
	require.NoError(t, err)
	require.Equal(t, want, got)
	require.Empty(t, u.registry.Requests())

	fresh := u.newRegistries(t)
	got, err = u.resolve(t, fresh)
	require.NoError(t, err)
	require.Equal(t, want, got)
	for kind, layer := range map[lucidbase.InputKind]lock.Layer{supply.ImageRootfs: want.Rootfs, supply.ImageHeaders: want.Headers} {
		_, err = u.newRegistries(t).Layer(t.Context(), u.input(kind, layer), io.Discard)
		require.NoError(t, err, "made by another, from nothing")
	}
	require.NoError(t, os.WriteFile(u.path(want.Rootfs.Digest), []byte("damaged"), 0o644))
	var layer bytes.Buffer
	_, err = u.Layer(t.Context(), u.input(supply.ImageRootfs, want.Rootfs), &layer)
	require.NoError(t, err)
	require.Equal(t, want.Rootfs.Size, int64(layer.Len()))
}

// A lock that says something else of the image is noticed.
func TestImageLayerThatIsNotTheLockedOne(t *testing.T) {
	u := newUpstream(t)
	found, err := u.resolve(t, u.Registries)
	require.NoError(t, err)
	found.Rootfs.Digest = "sha256:" + strings.Repeat("0", 64)
	_, err = u.Layer(t.Context(), u.input(supply.ImageRootfs, found.Rootfs), io.Discard)
	require.ErrorContains(t, err, "the lock says "+found.Rootfs.Digest)
	_, err = u.Layer(t.Context(), u.input(supply.Builder, lock.Layer{}), io.Discard)
	require.ErrorContains(t, err, `unknown kind of layer "builder"`)
}

func TestResolveRefuses(t *testing.T) {
	u := newUpstream(t)
	for name, c := range map[string]struct {
		env  []string
		edit func(f *imageFixture)
		says string
	}{
		"no version":      {nil, nil, "has no PYTHON_VERSION"},
		"another version": {[]string{"PYTHON_VERSION=3.12.1"}, nil, "PYTHON_VERSION=3.12.1 is not Python 3.11"},
		"no Alpine":       {[]string{"PYTHON_VERSION=3.11.9"}, func(f *imageFixture) { f.without("usr/lib/apk/db/installed") }, "it is no Alpine image"},
		"no pyconfig.h":   {[]string{"PYTHON_VERSION=3.11.9"}, func(f *imageFixture) { f.without("usr/local/include/python3.11/pyconfig.h") }, "pyconfig.h: is not in the image"},
		"a hostile layer": {[]string{"PYTHON_VERSION=3.11.9"}, func(f *imageFixture) { f.layer().file("../x", "") }, "entry ../x: leaves the root"},
	} {
		t.Run(name, func(t *testing.T) {
			f := alpine(t)
			if c.edit != nil {
				c.edit(f)
			}
			_, err := u.Resolve(t.Context(), f.push(u.registry, c.env...), u.debian, lucidbase.LinuxAMD64)
			require.ErrorContains(t, err, c.says)
			require.ErrorContains(t, err, "resolving "+officialTag+" for linux/amd64: ")
			require.NotContains(t, err.Error(), "\n")
		})
	}
	_, err := u.Resolve(t.Context(), u.image, u.debian, lucidbase.LinuxARM64)
	require.ErrorContains(t, err, "index: no image for linux/arm64 in it")
	_, err = u.Resolve(t.Context(), u.image, lock.Debian{}, lucidbase.LinuxAMD64)
	require.ErrorContains(t, err, "it has no tini, and debian12.json locks no package of that name")
}

// A registry that lies, breaks off or does not answer is passed over.
func TestFetchFromTheNextRegistry(t *testing.T) {
	for name, c := range map[string]struct {
		fault testregistry.Fault
		says  string
	}{
		"another manifest": {testregistry.Fault{Path: "/manifests/", Corrupt: true, Times: 99}, "manifest digest"},
		"another blob":     {testregistry.Fault{Path: "/blobs/", Corrupt: true, Times: 99}, "checksum"},
		"an error":         {testregistry.Fault{Path: "/manifests/", Status: http.StatusForbidden, Times: 99}, "DENIED"},
		"not there":        {testregistry.Fault{Path: "/manifests/", Status: http.StatusNotFound, Times: 99}, "UNKNOWN"},
		"circles":          {testregistry.Fault{Path: "/blobs/", Status: http.StatusFound, Header: http.Header{"Location": {"/v2/hub/library/python/blobs/0"}}, Times: 999}, "stopped after 10 redirects"},
		"silence":          {testregistry.Fault{Path: "/manifests/", Delay: time.Hour, Status: http.StatusInternalServerError, Times: 99}, "no answer in 200ms"},
		"a silent blob":    {testregistry.Fault{Path: "/blobs/", Stall: true, Times: 99}, "no further byte of the answer in 400ms"},
		"a page":           {testregistry.Fault{Path: "/v2/", Page: true, Times: 99}, "manifest digest"},
	} {
		t.Run(name, func(t *testing.T) {
			u := newUpstream(t)
			bad := testregistry.New(t)
			alpine(t).push(bad, "PATH=/usr/bin", "PYTHON_VERSION=3.11.9")
			bad.Inject(c.fault)
			m := u.newRegistries(t)
			m.Transport = patient.New(http.DefaultTransport.(*http.Transport), 200*time.Millisecond)
			m.Mirrors = map[string][]string{"docker.io": {bad.Host + "/hub", u.registry.Host + "/hub"}}
			_, err := u.resolve(t, m)
			require.NoError(t, err)
			require.NotEmpty(t, bad.Requests())

			bad.Reset()
			bad.Inject(c.fault)
			m = u.newRegistries(t)
			m.Transport = patient.New(http.DefaultTransport.(*http.Transport), 200*time.Millisecond)
			m.Mirrors = map[string][]string{"docker.io": {bad.Host + "/hub"}}
			alone := u.image
			alone.Reference = "docker.io.invalid/library/python:3.11-alpine3.23" // the image's own registry is not asked in a test
			m.Mirrors["docker.io.invalid"] = m.Mirrors["docker.io"]
			_, err = m.Resolve(t.Context(), alone, u.debian, lucidbase.LinuxAMD64)
			require.ErrorIs(t, err, ErrNoImage)
			require.ErrorContains(t, err, bad.Host+"/hub/library/python: ")
			require.ErrorContains(t, err, c.says)
			require.NotContains(t, err.Error(), "\n")
		})
	}
}

// A connection that breaks in the middle is no reason to give up, when nobody else
// has the image.
func TestFetchAgain(t *testing.T) {
	u := newUpstream(t)
	u.image.Reference = u.registry.Ref("hub/library/python:3.11-alpine3.23")
	u.registry.Inject(testregistry.Fault{Path: "/blobs/", Close: true})
	_, err := u.resolve(t, u.newRegistries(t))
	require.NoError(t, err)
}

// Who answers, with whatever, may have the next part of an image.
func TestWhoAnswers(t *testing.T) {
	answer := &transport.Error{StatusCode: http.StatusNotFound}
	ask := func(err error) error { return &url.Error{Op: "Get", URL: "https://example.com/v2/", Err: err} }
	for name, c := range map[string]struct {
		err      error
		answered bool
	}{
		"lacks it":         {answer, true},
		"refuses a token":  {ask(answer), true},
		"circles":          {ask(patient.ErrImpostor), true},
		"another manifest": {errors.New("manifest digest"), true},
		"hangs up":         {ask(io.EOF), false},
		"busy for ever":    {ask(&patient.BusyError{Answer: answer}), false},
		"falls silent":     {&patient.SilenceError{}, false},
	} {
		err := pullError(c.err)
		require.Equal(t, c.answered, !errors.Is(err, mirror.ErrNoAnswer), name)
		require.NotContains(t, err.Error(), "example.com", name)
	}
}

// The user's own credentials are used, as docker keeps them.
func TestFetchWithCredentials(t *testing.T) {
	config := t.TempDir()
	t.Setenv("DOCKER_CONFIG", config)
	r := testregistry.New(t)
	image := alpine(t).push(r, "PYTHON_VERSION=3.11.9")
	closed := testregistry.New(t, testregistry.BasicAuth("user", "secret"))
	auth := base64.StdEncoding.EncodeToString([]byte("user:secret"))
	file := fmt.Sprintf(`{"auths": {%q: {"auth": %q}}}`, closed.Host, auth)
	require.NoError(t, os.WriteFile(filepath.Join(config, "config.json"), []byte(file), 0o600))
	require.Equal(t, image, alpine(t).push(closed, "PYTHON_VERSION=3.11.9"))

	u := &upstreamTest{registry: closed, image: image}
	_, err := u.resolve(t, u.newRegistries(t))
	require.NoError(t, err)
}

func TestLatest(t *testing.T) {
	u := newUpstream(t)
	digest, err := u.Latest(t.Context(), lock.Upstream{Reference: officialTag, Digest: "sha256:" + strings.Repeat("0", 64)})
	require.NoError(t, err)
	require.Equal(t, u.image.Digest, digest)

	u.Mirrors["example.invalid"] = []string{u.registry.Host + "/hub"}
	_, err = u.Latest(t.Context(), lock.Upstream{Reference: "example.invalid/library/none:1"})
	require.ErrorIs(t, err, ErrNoImage)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = u.Latest(ctx, u.image)
	require.ErrorIs(t, err, context.Canceled)
}

func TestParseMirrors(t *testing.T) {
	got, err := ParseMirrors("docker.io=mirror.example.com/hub/,docker.io=127.0.0.1:5000", "", "quay.example.com=localhost/x")
	require.NoError(t, err)
	require.Equal(t, map[string][]string{
		"docker.io": {"mirror.example.com/hub", "127.0.0.1:5000"}, "quay.example.com": {"localhost/x"},
	}, got)
	for _, bad := range []string{"mirror.example.com", "=mirror.example.com", "docker.io=", "docker.io=hub", "docker.io=https://mirror.example.com", "docker.io=mirror.example.com/UPPER"} {
		_, err := ParseMirrors(bad)
		require.ErrorContains(t, err, bad)
	}
}

func FuzzParseMirrors(f *testing.F) {
	f.Add("docker.io=mirror.example.com/hub")
	f.Fuzz(func(t *testing.T, text string) {
		mirrors, err := ParseMirrors(text)
		if err != nil {
			return
		}
		m := &Registries{Mirrors: mirrors}
		r, err := m.repository(lock.Upstream{Reference: officialTag})
		require.NoError(t, err)
		require.Len(t, r.places, 1+len(mirrors["docker.io"]))
	})
}
