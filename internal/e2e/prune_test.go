//go:build linux

package e2e

import (
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

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

// requireSameImages builds for this machine's platform alone, which is half of
// the work, and compares.
func (s shared) requireSameImages(t *testing.T, cache string) {
	t.Helper()
	platform := "linux/" + runtime.GOARCH
	want := s.firstBuild(t).digests()
	got := s.build(t, command{args: []string{"--cache-dir", cache, "--output", t.TempDir(), "--platform", platform}}).digests()
	for _, image := range []string{"base", "python-base"} {
		require.Equal(t, want[image+" "+platform], got[image+" "+platform])
	}
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
	s.requireSameImages(t, cache)
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
	s.requireSameImages(t, cache)
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
