//go:build linux

package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase"
)

// images returns the layout of each finished image, by the image's name.
func images(t *testing.T) map[string]string {
	t.Helper()
	s := needEngine(t)
	dirs := map[string]string{}
	for _, im := range s.firstBuild(t).Images {
		dirs[im.Name] = filepath.Join(s.dir, "dist", im.Name)
	}
	require.Len(t, dirs, 2)
	return dirs
}

func TestMain(m *testing.M) {
	status := m.Run()
	if used := shareMade.Load(); used {
		makeShared().remove()
	}
	os.Exit(status)
}

// missing skips a test for want of something, or fails it where nothing may be
// skipped.
func missing(t *testing.T, reason string) {
	t.Helper()
	if os.Getenv("LUCID_REQUIRE_ENGINE") == "1" {
		require.FailNow(t, "required here", reason)
	}
	t.Skip(reason)
}

// TestImages unpacks each image once for each platform and asks everything of
// that one copy.
func TestImages(t *testing.T) {
	for name, dir := range images(t) {
		testImage(t, name, dir)
	}
}

// testImage asks everything of an image in a layout.
func testImage(t *testing.T, name, dir string) {
	index := onlyIndex(t, dir)
	for _, platform := range lucidbase.AllPlatforms() {
		t.Run(name+"/"+platform.Architecture, func(t *testing.T) {
			t.Parallel()
			img := platformImage(t, index, platform.OS, platform.Architecture)
			files := unpack(t, img)
			t.Run("files", func(t *testing.T) { testFiles(t, files) })
			t.Run("run", func(t *testing.T) {
				c := newContainer(t, img)
				testDefaultCommand(t, c)
				testProbes(t, c, name)
			})
		})
	}
}

// onlyIndex reads the one multi-platform index that a layout's index.json
// points at.
func onlyIndex(t *testing.T, dir string) v1.ImageIndex {
	t.Helper()
	top, err := layout.ImageIndexFromPath(dir)
	require.NoError(t, err)
	m, err := top.IndexManifest()
	require.NoError(t, err)
	require.Len(t, m.Manifests, 1, dir)
	require.True(t, m.Manifests[0].MediaType.IsIndex(), "%s: %s", dir, m.Manifests[0].MediaType)
	index, err := top.ImageIndex(m.Manifests[0].Digest)
	require.NoError(t, err)
	return index
}

func platformImage(t *testing.T, index v1.ImageIndex, os, arch string) v1.Image {
	t.Helper()
	m, err := index.IndexManifest()
	require.NoError(t, err)
	var seen []string
	for _, d := range m.Manifests {
		if d.Platform != nil && d.Platform.OS == os && d.Platform.Architecture == arch {
			img, err := index.Image(d.Digest)
			require.NoError(t, err)
			return img
		}
		seen = append(seen, d.Platform.String())
	}
	require.FailNow(t, "platform is not in the index", "%s/%s: %s", os, arch, strings.Join(seen, ", "))
	return nil
}
