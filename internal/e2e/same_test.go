package e2e

import (
	"archive/tar"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase"
)

// requireSame tells of two layouts of an image that should be equal which entries of
// which layer are not: digests alone say nothing of the cause.
func requireSame(t *testing.T, want, got string) {
	t.Helper()
	for _, p := range lucidbase.AllPlatforms() {
		a, b := layerEntries(t, want, p.Architecture), layerEntries(t, got, p.Architecture)
		for name, entry := range a {
			if b[name] != entry {
				t.Errorf("%s: %s: %q, then %q", p.Architecture, name, entry, b[name])
			}
		}
		for name := range b {
			if _, ok := a[name]; !ok {
				t.Errorf("%s: %s: not there, then %q", p.Architecture, name, b[name])
			}
		}
	}
}

// layerEntries describes every entry of every layer, and the config.
func layerEntries(t *testing.T, dir, arch string) map[string]string {
	t.Helper()
	img := platformImage(t, onlyIndex(t, dir), "linux", arch)
	config, err := img.RawConfigFile()
	require.NoError(t, err)
	all := map[string]string{"config": string(config)}
	layers, err := img.Layers()
	require.NoError(t, err)
	for i, layer := range layers {
		rc, err := layer.Uncompressed()
		require.NoError(t, err)
		archive := tar.NewReader(rc)
		for n := 0; ; n++ {
			h, err := archive.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			require.NoError(t, err)
			sum := sha256.New()
			_, err = io.Copy(sum, archive)
			require.NoError(t, err)
			all[fmt.Sprintf("layer %d, %s", i, h.Name)] = fmt.Sprintf("entry %d, %c %o %d:%d %q %s %v %x", n, h.Typeflag, h.Mode, h.Uid, h.Gid, h.Linkname, h.ModTime, h.PAXRecords, sum.Sum(nil)[:8])
		}
		require.NoError(t, rc.Close())
	}
	return all
}
