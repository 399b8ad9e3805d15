//go:build linux

package bench

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/testregistry"
	"github.com/lucid-project/base-images/lucidbase/engine"
	_ "github.com/lucid-project/base-images/lucidbase/engine/embedded"
	"github.com/lucid-project/base-images/lucidbase/lock"
	"github.com/lucid-project/base-images/variants"
)

// A service that has two of the base's packages in other versions, after the base was
// built and pushed: built for both platforms, from nothing but what the base left, and
// pushed.
func BenchmarkOverride(b *testing.B) {
	packages, err := lock.Read(os.DirFS("testdata"), "override.lock.txt")
	require.NoError(b, err)
	for b.Loop() {
		b.StopTimer()
		r := testregistry.New(b)
		eng, err := engine.Open(b.Context(), "", engine.WithCacheDir(filepath.Join(b.TempDir(), "cache")))
		require.NoError(b, err)
		_, err = eng.Build(b.Context(), engine.Job{Spec: variants.Python{}, To: engine.Push(r.Ref("lucid/python-base"))})
		require.NoError(b, err)
		before := r.Size()
		b.StartTimer()
		res, err := eng.Build(b.Context(), engine.Job{Spec: variants.Python{Packages: packages}, To: engine.Push(r.Ref("lucid/service"))})
		b.StopTimer()
		require.NoError(b, err)
		size := int64(0)
		for _, p := range res.Platforms {
			size += p.Size
		}
		b.ReportMetric(float64(r.Size()-before)/1e6, "MB-pushed")
		b.ReportMetric(float64(size)/1e6, "MB-image")
		require.NoError(b, eng.Close())
		b.StartTimer()
	}
}
