//go:build linux

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/alpinetest"
	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/lock"
)

// maxAlpine is what the image may have, compressed, in bytes a platform.
const maxAlpine = 35_000_000

// The Alpine image is built from an upstream image that its lock names by digest
// alone, and runs on both CPUs.
func TestAlpine(t *testing.T) {
	t.Parallel()
	s := needEngine(t)
	im, mirrors := alpinetest.Image(t)
	own := s.withLock(t, lock.AlpineFile, im.Format())
	// The first mirror does not answer.
	reach := []string{"LUCID_IMAGE_MIRROR=" + strings.Join(append([]string{"docker.io=" + closed + "/hub"}, mirrors...), ",")}
	home, dist := t.TempDir(), t.TempDir()
	cache := filepath.Join(home, "lucidbase")
	build := func(s shared, c command) built {
		t.Helper()
		c.args = append([]string{"alpine-base", "--output", dist}, c.args...)
		return s.buildNamed(t, c)
	}
	first := build(own, command{args: []string{"--cache-dir", cache}, env: reach})
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
		dir := copyLocks(t)
		require.NoError(t, os.WriteFile(filepath.Join(dir, lock.AlpineFile), im.Format(), 0o644))
		args := []string{"lock", "--dir", dir, "--cache-dir", cache, "--progress", "quiet"}
		res := s.run(t, command{args: args, env: reach})
		require.Zero(t, res.code, res.stderr)
		require.Contains(t, res.stdout, "alpine musl added ")
		require.NotContains(t, res.stderr, "keeping alpine.json")
		locked, err := lock.ReadSet(os.DirFS(dir))
		require.NoError(t, err)
		require.Equal(t, im.Digest, locked.Alpine.Digest)
		require.Len(t, locked.Alpine.Platforms, 2)
		full := s.withLock(t, lock.AlpineFile, locked.Alpine.Format())
		require.Equal(t, want, build(full, command{args: []string{"--cache-dir", cache}, env: deadProxy}).digests())
	})
	t.Run("the example, with psutil", func(t *testing.T) {
		layout := filepath.Join(dist, "alpine-psutil")
		cmd := exec.CommandContext(t.Context(), buildWithLock(t, "examples/alpine-psutil", lock.AlpineFile, im.Format()), layout)
		cmd.Env = append(os.Environ(), "XDG_CACHE_HOME="+home)
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

// The Alpine image is the same when it is made anew on one processor.
func TestLongAlpineOnOneProcessor(t *testing.T) {
	t.Parallel()
	s := needEngine(t)
	im, mirrors := alpinetest.Image(t)
	own := s.withLock(t, lock.AlpineFile, im.Format())
	var dirs []string
	for _, under := range [][]string{nil, {"taskset", "--cpu-list", "0"}} {
		dist := t.TempDir()
		own.buildNamed(t, command{
			args: []string{"alpine-base", "--cache-dir", t.TempDir(), "--output", dist}, under: under,
			env: []string{"LUCID_IMAGE_MIRROR=" + strings.Join(mirrors, ",")},
		})
		dirs = append(dirs, filepath.Join(dist, "alpine-base"))
	}
	requireSame(t, dirs[0], dirs[1])
}
