package atomicfile

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestKeep(t *testing.T) {
	for name, before := range map[string]func(path string) error{
		"nothing":          func(string) error { return nil },
		"a file":           func(path string) error { return os.WriteFile(path, []byte("old"), 0o400) },
		"a directory":      func(path string) error { return os.MkdirAll(filepath.Join(path, "full"), 0o755) },
		"a dangling link":  func(path string) error { return os.Symlink("nowhere", path) },
		"a directory link": func(path string) error { return os.Symlink(filepath.Dir(path), path) },
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "file")
			require.NoError(t, before(path))
			f, err := Create(filepath.Dir(path))
			require.NoError(t, err)
			_, err = f.WriteString("new")
			require.NoError(t, err)
			require.NoError(t, f.Keep(path))
			require.NoError(t, f.Close())
			requireFiles(t, filepath.Dir(path), map[string]string{"file": "new"})
		})
	}
}

func TestKeepFails(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made")
	f, err := Create(dir)
	require.NoError(t, err)
	require.Error(t, f.Keep(filepath.Join(dir, "missing", "file")))
	require.NoError(t, f.Close())
	requireFiles(t, dir, map[string]string{})
}

// Others may read what an engine or a command wrote, as far as the umask lets them.
func TestCreateReadable(t *testing.T) {
	plain := filepath.Join(t.TempDir(), "plain")
	require.NoError(t, os.WriteFile(plain, nil, 0o644))
	want, err := os.Stat(plain)
	require.NoError(t, err)
	f, err := Create(t.TempDir())
	require.NoError(t, err)
	got, err := f.Stat()
	require.NoError(t, err)
	require.Equal(t, want.Mode(), got.Mode())
	require.NoError(t, f.Close())
}

func TestWrite(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a"), []byte("old"), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "c"), []byte("stays"), 0o644))
	require.NoError(t, Write(dir, map[string][]byte{"a": []byte("1"), "b": []byte("2")}))
	requireFiles(t, dir, map[string]string{"a": "1", "b": "2", "c": "stays"})

	missing := filepath.Join(dir, "missing")
	require.ErrorIs(t, Write(missing, map[string][]byte{"a": nil}), os.ErrNotExist)
	require.NoDirExists(t, missing)
	require.Error(t, Write(dir, map[string][]byte{"b": []byte("3"), "no/such": nil}))
	requireFiles(t, dir, map[string]string{"a": "1", "b": "3", "c": "stays"})
}

func requireFiles(t *testing.T, dir string, want map[string]string) {
	t.Helper()
	got := map[string]string{}
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		require.NoError(t, err)
		got[e.Name()] = string(data)
	}
	require.Equal(t, want, got)
}

func TestWriteNew(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	require.NoError(t, WriteNew(path, []byte("first")))
	require.ErrorIs(t, WriteNew(path, []byte("second")), os.ErrExist)
	requireFiles(t, dir, map[string]string{"file": "first"})
}
