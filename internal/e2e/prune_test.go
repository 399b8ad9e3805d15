//go:build linux

package e2e

import (
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// warmCache is a copy of the shared cache.
func (s shared) warmCache(t *testing.T) string {
	t.Helper()
	s.firstBuild(t)
	cache := filepath.Join(t.TempDir(), "cache")
	output(t, "cp", "-a", s.cache(), cache)
	return cache
}

// diskUsage is the size of all files below dir, each counted once.
func diskUsage(t *testing.T, dir string) (size int64) {
	t.Helper()
	seen := map[uint64]bool{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if inode := info.Sys().(*syscall.Stat_t).Ino; !seen[inode] {
			seen[inode] = true
			size += info.Size()
		}
		return nil
	}))
	return size
}

// requireSameImage builds one image for this machine's platform alone, which is less
// than half of the work, and compares.
func (s shared) requireSameImage(t *testing.T, cache string) {
	t.Helper()
	image := "python-base linux/" + runtime.GOARCH
	want := s.firstBuild(t).digests()
	got := s.buildNamed(t, command{args: []string{"python-base", "--cache-dir", cache, "--output", t.TempDir(), "--platform", "linux/" + runtime.GOARCH}}).digests()
	require.Contains(t, want, image)
	require.Equal(t, want[image], got[image])
}

// A build keeps the cache under the limit, and what it drops can be made again.
func TestPruneToALimit(t *testing.T) {
	s := needEngine(t)
	cache := s.warmCache(t)
	const limit = 300_000_000
	require.Greater(t, diskUsage(t, cache), int64(2*limit))
	got := s.build(t, command{args: []string{"--cache-dir", cache, "--output", t.TempDir(), "--cache-limit", "300MB"}})
	require.Equal(t, s.firstBuild(t).digests(), got.digests())
	require.Less(t, diskUsage(t, cache), int64(limit))
	require.NotEmpty(t, blobs(t, cache), "no more than needed is dropped")
	s.requireSameImage(t, cache)
}

func TestPruneAll(t *testing.T) {
	s := needEngine(t)
	cache := s.warmCache(t)
	long := time.Now().Add(-48 * time.Hour)
	for _, name := range []string{"downloads/sha256/.tmp-1", "content/.tmp-1", "locks/debian12.json"} {
		path := filepath.Join(cache, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte("left by a run that was killed"), 0o644))
		require.NoError(t, os.Chtimes(path, long, long))
	}
	res := s.run(t, command{args: []string{"prune", "--all", "--cache-dir", cache}})
	require.Zero(t, res.code, res.stderr)
	require.Regexp(t, `^freed [0-9.]+GB\n$`, res.stdout)
	require.Less(t, diskUsage(t, cache), int64(10_000_000), "BuildKit's databases stay")
	for _, dir := range []string{"content", "downloads", "locks"} {
		require.Zero(t, diskUsage(t, filepath.Join(cache, dir)), dir)
	}
	s.requireSameImage(t, cache)
}

// Whichever files of the client's side are gone, the next build makes them
// again, and runs no step for it.
func TestPruneLosesSomeBlobs(t *testing.T) {
	s := needEngine(t)
	cache := s.warmCache(t)
	want := s.firstBuild(t).digests()
	for _, half := range []int{0, 1} {
		for i, path := range blobs(t, cache) {
			if i%2 == half {
				require.NoError(t, os.Remove(path))
			}
		}
		file := filepath.Join(t.TempDir(), "dist")
		require.Equal(t, want, s.build(t, command{
			args: []string{"--cache-dir", cache, "--output", file},
			env:  append(deadProxy, "PATH=/nonexistent"), // no network, no runc
		}).digests())
	}
}

// blobs are the files of the client's side that have content.
func blobs(t *testing.T, cache string) []string {
	t.Helper()
	var all []string
	require.NoError(t, filepath.WalkDir(filepath.Join(cache, "content"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && !strings.HasPrefix(d.Name(), ".") {
			all = append(all, path)
		}
		return err
	}))
	return all
}

// Who prunes beside builds takes nothing from them, old files or new ones, files of the
// client's side or BuildKit's.
func TestLongPruneBesideBuilds(t *testing.T) {
	t.Parallel()
	s := needEngine(t)
	cache := filepath.Join(t.TempDir(), "cache")
	build := func() string {
		args := []string{"bare-base", "--cache-dir", cache, "--output", t.TempDir(), "--platform", "linux/" + runtime.GOARCH}
		return s.buildNamed(t, command{args: args}).digests()["bare-base"]
	}
	want := build()
	stop, done := make(chan struct{}), make(chan struct{})
	var pruned atomic.Int64
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			default:
			}
			flags := [][]string{{"--all"}, {"--older-than", "1ms"}, {"--cache-limit", "1MB"}}[pruned.Load()%3]
			res := s.run(t, command{args: append([]string{"prune", "--cache-dir", cache}, flags...)})
			assert.Zero(t, res.code, res.stderr)
			pruned.Add(1)
		}
	}()
	for builds := 0; (builds < 3 || pruned.Load() < 3) && builds < 20; builds++ {
		age(t, cache, 2*time.Hour)
		assert.Equal(t, want, build())
	}
	close(stop)
	<-done
	require.GreaterOrEqual(t, pruned.Load(), int64(3))
}

// age makes all files of the client's side look as if they were used that long ago.
func age(t *testing.T, cache string, ago time.Duration) {
	t.Helper()
	then := time.Now().Add(-ago)
	for _, dir := range []string{"content", "downloads", "facts", "built", "pushed"} {
		_ = filepath.WalkDir(filepath.Join(cache, dir), func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.Type().IsRegular() {
				_ = os.Chtimes(path, then, then) // or it was pruned
			}
			return nil
		})
	}
}
