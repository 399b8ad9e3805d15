package debian

import (
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/supply"
	"github.com/lucid-project/base-images/lucidbase"
)

func TestDamagedCacheIsRepaired(t *testing.T) {
	for name, damage := range map[string]func(t *testing.T, path string){
		"cut off": func(t *testing.T, path string) { require.NoError(t, os.Truncate(path, 3)) },
		"changed": func(t *testing.T, path string) {
			require.NoError(t, os.WriteFile(path, []byte("THE PACKAGE'S OWN BYTES"), 0o600))
		},
		"removed": func(t *testing.T, path string) { require.NoError(t, os.Remove(path)) },
	} {
		t.Run(name, func(t *testing.T) {
			mirror, asked := server(t, serve(goodFile))
			a := &Archives{Cache: t.TempDir(), Mirrors: map[string][]string{"debian": {mirror}}}
			path, err := a.File(t.Context(), goodPackage, nil)
			require.NoError(t, err)
			require.Equal(t, filepath.Join(a.Cache, "sha256", goodPackage.SHA256), path)
			_, err = a.File(t.Context(), goodPackage, nil)
			require.NoError(t, err)
			require.EqualValues(t, 1, asked.Load())

			damage(t, path)
			_, err = a.File(t.Context(), goodPackage, nil)
			require.NoError(t, err)
			require.EqualValues(t, 2, asked.Load())
			requireContent(t, path, goodFile)
		})
	}
}

func TestSharedCache(t *testing.T) {
	mirror, _ := server(t, serve(goodFile))
	cache := t.TempDir()
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() {
			a := &Archives{Cache: cache, Mirrors: map[string][]string{"debian": {mirror}}}
			if path, err := a.File(t.Context(), goodPackage, nil); err != nil {
				t.Error(err)
			} else if data, err := os.ReadFile(path); err != nil || string(data) != string(goodFile) {
				t.Errorf("read %q, %v", data, err)
			}
		})
	}
	group.Wait()
	left, err := os.ReadDir(filepath.Join(cache, "sha256"))
	require.NoError(t, err)
	require.Len(t, left, 1, "partial files are left")
}

// A directory below a file cannot be written by root either.
func TestCacheThatCannotBeWritten(t *testing.T) {
	mirror, _ := server(t, serve(goodFile))
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	a := &Archives{Cache: filepath.Join(file, "cache"), Mirrors: map[string][]string{"debian": {mirror}}}
	_, err := a.File(t.Context(), goodPackage, nil)
	require.ErrorContains(t, err, "writing one to cache directory "+a.Cache+": ")

	_, err = a.Layer(t.Context(), lucidbase.Input{Kind: supply.Rootfs, Platform: lucidbase.LinuxAMD64}, io.Discard)
	require.ErrorContains(t, err, "making rootfs linux/amd64: unpacking in cache directory "+a.Cache+": ")
}

func TestLayerLeavesNothingInTheCache(t *testing.T) {
	a := &Archives{Cache: t.TempDir()}
	in := input(t, a.Cache, supply.Rootfs, base())
	_, err := a.Layer(t.Context(), in, io.Discard)
	require.NoError(t, err)
	left, err := os.ReadDir(a.Cache)
	require.NoError(t, err)
	require.Len(t, left, 1)
	require.Equal(t, "sha256", left[0].Name())
}
