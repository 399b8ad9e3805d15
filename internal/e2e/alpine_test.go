//go:build linux

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/alpinetest"
	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/engine"
	"github.com/lucid-project/base-images/lucidbase/lock"
	"github.com/lucid-project/base-images/lucidbase/resolve"
	"github.com/lucid-project/base-images/variants"
)

// imageMirrors is an environment that names mirrors of images.
func imageMirrors(mirrors []string) []string {
	return []string{"LUCID_IMAGE_MIRROR=" + strings.Join(mirrors, ",")}
}

// maxAlpine is what the image may have, compressed, in bytes a platform.
const maxAlpine = 35_000_000

// The Alpine image is built from an upstream image that its lock names by digest
// alone, and runs on both CPUs.
func TestAlpine(t *testing.T) {
	t.Parallel()
	s := needEngine(t)
	im, mirrors := alpinetest.Image(t)
	programs := buildWithLock(t, lock.AlpineFile, im.Format(), "cmd/lucidbase", "examples/alpine")
	own := shared{dir: programs}
	// The first mirror does not answer.
	reach := append([]string{"docker.io=" + closed + "/hub"}, mirrors...)
	cache, dist := t.TempDir(), t.TempDir()
	build := func(s shared, c command) built {
		t.Helper()
		c.args = append([]string{"alpine-base", "--output", dist}, c.args...)
		return s.buildNamed(t, c)
	}
	first := build(own, command{args: []string{"--cache-dir", cache}, env: imageMirrors(reach)})
	want := first.digests()
	for _, p := range first.Images[0].Platforms {
		t.Logf("%s: %.1f MB", p.Platform, float64(p.Size)/1e6)
		require.LessOrEqual(t, p.Size, int64(maxAlpine))
	}
	testImage(t, "alpine-base", filepath.Join(dist, "alpine-base"))

	t.Run("out of reach, from the cache", func(t *testing.T) {
		require.Equal(t, want, build(own, command{args: []string{"--cache-dir", cache}, env: deadProxy}).digests())
	})
	t.Run("from a lock that says what the image holds", func(t *testing.T) {
		locks, err := lock.Default()
		require.NoError(t, err)
		full := *locks
		full.Alpine, err = resolve.Upstream(t.Context(), openEngine(t, cache, engine.WithImageMirrors(reach...)).Resolver(), im, full.Debian)
		require.NoError(t, err)
		require.Equal(t, im.Digest, full.Alpine.Digest)
		require.Len(t, full.Alpine.Platforms, 2)
		made, err := openEngine(t, cache, engine.WithImageMirrors(reach[0])).Build(t.Context(), engine.Job{
			Spec: variants.Alpine{Locks: &full}, To: engine.Layout(filepath.Join(dist, "locked"), "lucid/alpine-base:latest"),
		})
		require.NoError(t, err)
		require.Equal(t, want["alpine-base"], made.Digest)
	})
	t.Run("the twin", func(t *testing.T) {
		own.buildNamed(t, command{args: []string{"alpine-base-dev", "--cache-dir", cache, "--output", dist}, env: deadProxy})
		s.requireTwin(t, filepath.Join(dist, "alpine-base-dev"), ocispecs.Platform{OS: "linux", Architecture: runtime.GOARCH})
	})
	t.Run("the example, with psutil", func(t *testing.T) {
		layout := filepath.Join(dist, "alpine-psutil")
		cmd := exec.CommandContext(t.Context(), filepath.Join(programs, "alpine"), layout)
		cmd.Env = append(append(os.Environ(), imageMirrors(reach)...), "XDG_CACHE_HOME="+s.lockHome())
		cmd.Stderr = os.Stderr
		out, err := cmd.Output()
		require.NoError(t, err)
		digest, err := onlyIndex(t, layout).Digest()
		require.NoError(t, err)
		require.Equal(t, digest.String()+"\n", string(out))
		for _, p := range lucidbase.AllPlatforms() {
			require.Equal(t, `{"psutil": ["5.9.6", true, true]}`+"\n", probeCompiled(t, layout, p.Architecture, "psutil"))
		}
	})
}

// The Alpine image is the same when all of it is made anew on one processor.
func TestLongAlpineOnOneProcessor(t *testing.T) {
	t.Parallel()
	s := needEngine(t)
	im, mirrors := alpinetest.Image(t)
	own := s.withLock(t, lock.AlpineFile, im.Format())
	var dirs []string
	for cache, under := range map[string][]string{s.lockCache(): nil, t.TempDir(): {"taskset", "--cpu-list", "0"}} {
		dist := t.TempDir()
		own.buildNamed(t, command{
			args: []string{"alpine-base", "--cache-dir", cache, "--output", dist}, under: under,
			env: imageMirrors(mirrors),
		})
		dirs = append(dirs, filepath.Join(dist, "alpine-base"))
	}
	requireSame(t, dirs[0], dirs[1])
}
