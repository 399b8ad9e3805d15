//go:build linux

package e2e

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/alpinetest"
	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/engine"
	"github.com/lucid-project/base-images/lucidbase/lock"
	"github.com/lucid-project/base-images/variants"
)

// alpineLocks gives the committed locks with another image.
func alpineLocks(t *testing.T, im lock.Image) *lock.Set {
	t.Helper()
	own, err := lock.Default()
	require.NoError(t, err)
	set := *own
	set.Alpine = im
	if len(set.Sources[lock.Minimal]) == 0 {
		set.Python = map[lock.Tier]lock.Requirements{lock.Minimal: slices.DeleteFunc(slices.Clone(own.Python[lock.Minimal]),
			func(r lock.Requirement) bool { return r.Name == "pymongo" })}
	}
	return &set
}

// maxAlpine is what the image may have, compressed, in bytes a platform.
const maxAlpine = 35_000_000

// The Alpine image is built from an upstream image that its lock names by digest
// alone, twice from nothing with one digest, and runs on both CPUs.
func TestAlpine(t *testing.T) {
	needEngine(t)
	im, mirrors := alpinetest.Image(t)
	spec := variants.Alpine{Locks: alpineLocks(t, im)}
	var digests []string
	dist := t.TempDir()
	for range 2 {
		eng, err := engine.Open(t.Context(), "", engine.WithCacheDir(t.TempDir()), engine.WithImageMirrors(mirrors...),
			engine.WithProgress(os.Stderr), engine.WithProgressMode("plain"))
		require.NoError(t, err)
		res, err := eng.Build(t.Context(), engine.Job{Spec: spec, To: engine.Layout(filepath.Join(dist, "alpine-base"), "lucid/alpine-base:latest")})
		require.NoError(t, eng.Close())
		require.NoError(t, err)
		digests = append(digests, res.Digest)
		for _, p := range res.Platforms {
			t.Logf("%s: %.1f MB", lucidbase.FormatPlatform(p.Platform), float64(p.Size)/1e6)
			require.LessOrEqual(t, p.Size, int64(maxAlpine))
		}
	}
	require.Equal(t, digests[0], digests[1])
	testImage(t, "alpine-base", filepath.Join(dist, "alpine-base"))
}
