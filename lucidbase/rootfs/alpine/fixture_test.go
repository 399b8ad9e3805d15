package alpine

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/alpinetest"
	"github.com/lucid-project/base-images/internal/supply"
	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/lock"
	"github.com/lucid-project/base-images/lucidbase/rootfs/debian"
	"github.com/lucid-project/base-images/lucidbase/rootfs/internal/tree"
)

// The closure of a real Alpine userland: nothing is there that nobody needs.
func TestImageClosure(t *testing.T) {
	if testing.Short() {
		t.Skip("unpacks an image")
	}
	im, given := alpinetest.Image(t)
	mirrors, err := ParseMirrors(given...)
	require.NoError(t, err)
	set, err := lock.Default()
	require.NoError(t, err)
	packages, err := debian.Mirrors(os.DirFS("/"), os.Getenv("LUCID_DEBIAN_MIRROR"), os.Getenv("LUCID_DEBIAN_SECURITY_MIRROR"))
	require.NoError(t, err)
	archives := &debian.Archives{Cache: t.TempDir(), Mirrors: packages}
	for _, p := range lucidbase.AllPlatforms() {
		t.Run(p.Architecture, func(t *testing.T) {
			images := &Registries{Cache: t.TempDir(), Mirrors: mirrors, Archives: archives}
			locked, err := images.Resolve(t.Context(), im, set.Debian, p)
			require.NoError(t, err)
			known := lucidbase.Upstreams{im.Digest: {Digest: im.Digest, Platforms: map[string]lock.UpstreamPlatform{lucidbase.FormatPlatform(p): locked}}}
			root, headers, err := supply.Upstream(im, set.Debian, known, p)
			require.NoError(t, err)

			var layer bytes.Buffer
			_, err = images.Layer(t.Context(), root, &layer)
			require.NoError(t, err)
			names := entryNames(t, &layer)
			requireClosure(t, names)
			requireModules(t, images, im, p, names)
			t.Logf("%d entries, %d bytes, kept %v", len(names), locked.Rootfs.Size, locked.Kept)

			layer.Reset()
			_, err = images.Layer(t.Context(), headers, &layer)
			require.NoError(t, err)
			require.Contains(t, entryNames(t, &layer), "usr/local/include/python3.11/pyconfig.h")

			again := &Registries{Cache: t.TempDir(), Mirrors: mirrors, Archives: archives}
			_, err = again.Layer(t.Context(), root, io.Discard) // from nothing, and compared with the lock
			require.NoError(t, err)
		})
	}
}

func requireClosure(t *testing.T, names []string) {
	t.Helper()
	for _, name := range []string{
		"usr/local/bin/python3.11", "usr/local/bin/python3", "usr/local/lib/python3.11/os.py", "etc/os-release", "etc/alpine-release",
		"etc/passwd", "etc/ssl/certs/ca-certificates.crt", "lib/apk/db/installed", "usr/share/zoneinfo/Europe/Berlin", "tmp/", "app/",
	} {
		require.Contains(t, names, name)
	}
	for _, name := range names {
		for _, part := range []string{"busybox", "pip", "setuptools", "ensurepip", "/test/", "/tests/", "tkinter", "idlelib", "turtle", "libapk"} {
			if part == "pip" && strings.HasSuffix(name, "/pipes.py") {
				continue
			}
			require.NotContains(t, name, part)
		}
		require.False(t, slices.ContainsFunc([]string{".a", ".h", ".pyc", ".pickle"}, func(ext string) bool { return strings.HasSuffix(name, ext) }), name)
		require.False(t, strings.HasPrefix(name, "bin/") && name != "bin/", name)
	}
}

// entryNames names what a layer holds.
func entryNames(t *testing.T, layer io.Reader) []string {
	t.Helper()
	var names []string
	r := tar.NewReader(layer)
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return names
		}
		require.NoError(t, err)
		names = append(names, h.Name)
	}
}

// requireModules compares the extension modules with the image's own: all but
// Python's tests are kept.
func requireModules(t *testing.T, images *Registries, im lock.Upstream, p ocispecs.Platform, names []string) {
	t.Helper()
	s, err := tree.NewSpool(t.Context(), t.TempDir())
	require.NoError(t, err)
	defer s.Close()
	up, err := images.open(t.Context(), im, p, s)
	require.NoError(t, err)
	modules := 0
	for _, name := range up.files.Names() {
		file, ok := strings.CutPrefix(name, imageStdlib+"lib-dynload/")
		if !ok || strings.HasPrefix(file, "_test") || strings.HasPrefix(file, "_tkinter") || strings.Contains(file, "_test.") || strings.Contains(file, "xx") && !strings.Contains(file, "_xxsub") {
			continue
		}
		modules++
		require.Contains(t, names, name)
	}
	require.Greater(t, modules, 50)
}
