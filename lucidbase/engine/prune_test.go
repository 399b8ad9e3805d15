package engine

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// remoteEngine has a client's side of a cache: each file is 10 bytes and was
// used that long ago.
func remoteEngine(t *testing.T, files map[string]time.Duration) *Engine {
	t.Helper()
	dir := t.TempDir()
	for name, ago := range files {
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, make([]byte, 10), 0o644))
		used := time.Now().Add(-ago)
		require.NoError(t, os.Chtimes(path, used, used))
	}
	return &Engine{options: options{cacheDir: dir}}
}

func left(t *testing.T, e *Engine) []string {
	t.Helper()
	files, err := e.cachedFiles(true)
	require.NoError(t, err)
	names := []string{}
	for _, f := range files {
		name, err := filepath.Rel(e.options.cacheDir, f.path)
		require.NoError(t, err)
		names = append(names, filepath.ToSlash(name))
	}
	return names
}

func TestPruneFiles(t *testing.T) {
	const minute, day = time.Minute, 24 * time.Hour
	files := map[string]time.Duration{
		"content/blobs/sha256/old":      3 * day,
		"downloads/sha256/older":        4 * day,
		"content/compressed/gzip-1/new": 2 * minute,
		"content/blobs/sha256/new":      minute,
		"locks/standard.lock.txt":       9 * day,
		"content/.tmp-123":              2 * day,
		"content/.tmp-ABC":              2 * day,
		"downloads/sha256/.tmp-1":       2 * day,
		"downloads/sha256/.tmp-fresh":   3 * minute,
	}
	fresh := []string{"downloads/sha256/.tmp-fresh", "content/compressed/gzip-1/new", "content/blobs/sha256/new"}
	for _, c := range []struct {
		name  string
		limit int64
		freed int64
		left  []string
	}{
		{"all fits", 80, 30, append([]string{"locks/standard.lock.txt", "downloads/sha256/older", "content/blobs/sha256/old"}, fresh...)},
		{"the oldest goes", 75, 40, append([]string{"locks/standard.lock.txt", "content/blobs/sha256/old"}, fresh...)},
		{"one stays", 10, 70, append([]string{"locks/standard.lock.txt"}, fresh[2:]...)},
		{"all", 0, 90, []string{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := remoteEngine(t, files)
			freed, err := e.Prune(t.Context(), c.limit)
			require.NoError(t, err)
			require.Equal(t, c.freed, freed)
			require.Equal(t, c.left, left(t, e))
		})
	}
}

func TestPruneEmptyCache(t *testing.T) {
	freed, err := remoteEngine(t, nil).Prune(t.Context(), 0)
	require.NoError(t, err)
	require.Zero(t, freed)
}
