package engine

import (
	"context"
	"os"
	"path/filepath"
	"strings"
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
	files, err := e.cached(true)
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
			freed, err := e.Prune(t.Context(), Limit{Bytes: c.limit})
			require.NoError(t, err)
			require.Equal(t, c.freed, freed)
			require.Equal(t, c.left, left(t, e))
		})
	}
}

// What is too old goes although it would fit.
func TestPruneByAge(t *testing.T) {
	e := remoteEngine(t, map[string]time.Duration{
		"content/blobs/sha256/old": 8 * 24 * time.Hour,
		"downloads/sha256/new":     6 * 24 * time.Hour,
	})
	freed, err := e.Prune(t.Context(), Limit{Bytes: 100, Age: 7 * 24 * time.Hour})
	require.NoError(t, err)
	require.Equal(t, int64(10), freed)
	require.Equal(t, []string{"downloads/sha256/new"}, left(t, e))
}

// As long as somebody uses the cache, what he may have looked for stays.
func TestPruneInUse(t *testing.T) {
	files := map[string]time.Duration{"content/blobs/sha256/old": 2 * time.Hour, "facts/new": time.Minute}
	e := remoteEngine(t, files)
	var said strings.Builder
	e.options.progress = &said
	release, err := e.hold(t.Context())
	require.NoError(t, err)
	freed, err := e.Prune(t.Context(), Limit{})
	require.NoError(t, err)
	require.Equal(t, int64(10), freed)
	require.Equal(t, []string{"facts/new"}, left(t, e))
	require.Contains(t, said.String(), "in use")

	release()
	freed, err = e.Prune(t.Context(), Limit{})
	require.NoError(t, err)
	require.Equal(t, int64(10), freed)
	require.Empty(t, left(t, e))
}

// A build waits for who removes files, and no longer than its context.
func TestHoldWaits(t *testing.T) {
	e := remoteEngine(t, nil)
	release, ok := e.alone()
	require.True(t, ok)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := e.hold(ctx)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	release()
	held, err := e.hold(t.Context())
	require.NoError(t, err)
	held()
}

func TestUsage(t *testing.T) {
	e := remoteEngine(t, map[string]time.Duration{"downloads/sha256/a": 3 * time.Hour, "downloads/sha256/b": time.Hour, "locks/x": time.Hour})
	all, err := e.Usage(t.Context())
	require.NoError(t, err)
	found := map[string]Usage{}
	for _, u := range all {
		found[u.Kind] = u
	}
	require.NotContains(t, found, "steps", "no BuildKit of its own")
	require.Len(t, all, 7)
	require.Equal(t, int64(20), found["downloads"].Size)
	require.Equal(t, 2, found["downloads"].Count)
	require.WithinDuration(t, time.Now().Add(-time.Hour), found["downloads"].Used, time.Minute)
	require.Equal(t, 1, found["locks"].Count)
	require.True(t, found["sandbox"].Used.IsZero())
}

func TestPruneEmptyCache(t *testing.T) {
	freed, err := remoteEngine(t, nil).Prune(t.Context(), Limit{})
	require.NoError(t, err)
	require.Zero(t, freed)
}
