package atomicfile

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRename(t *testing.T) {
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
			temp := filepath.Join(filepath.Dir(path), "temp")
			require.NoError(t, os.WriteFile(temp, []byte("new"), 0o644))
			require.NoError(t, Rename(temp, path))
			data, err := os.ReadFile(path)
			require.NoError(t, err)
			require.Equal(t, "new", string(data))
			require.NoFileExists(t, temp)
		})
	}
	temp := filepath.Join(t.TempDir(), "temp")
	require.NoError(t, os.WriteFile(temp, nil, 0o644))
	require.Error(t, Rename(temp, filepath.Join(t.TempDir(), "missing", "file")))
	require.NoFileExists(t, temp, "nothing is left when it fails")
}
