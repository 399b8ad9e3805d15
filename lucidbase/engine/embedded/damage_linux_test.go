package embedded

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/containerd/v2/plugins/snapshots/native"
	"github.com/containerd/containerd/v2/plugins/snapshots/overlay"
	"github.com/stretchr/testify/require"
)

func TestDamagedBy(t *testing.T) {
	const (
		root = "/home/user/.cache/lucidbase/buildkit/uid-0"
		hex  = "sha256:27a784abb82b68e545d862d5c3613012c43dce6828e6f3216852693b136fab36"
	)
	for text, want := range map[string]bool{
		"unexpected commit digest " + hex + ", expected " + hex + ": failed precondition":                            true,
		"building exporting to oci image format: blob " + hex + " expected at x: blob not found: not found":          true,
		"building exporting to oci image format: read " + root + "/overlayfs/content/blobs/sha256/x: is a directory": true,
		"building exporting to oci image format: children: invalid desc " + hex + ": unexpected end of JSON input":   true,
		"open " + root + "/overlayfs/snapshots/metadata.db: is a directory":                                          true,
		"failed to mount: no such file or directory: " + root + "/overlayfs/snapshots/snapshots/7/fs":                true,
		"snapshot k2j3h does not exist: not found":                                                                   true,
		"failed to compute cache key: \"/src/app\": not found":                                                       false,
		"lstat /home/user/src: no such file or directory":                                                            false,
		"write " + root + "/overlayfs/snapshots/snapshots/7/fs/x: no space left on device":                           false,
		`process "uv x" did not complete successfully: exit code: 1`:                                                 false,
		`process "cat ` + root + `/x: no such file or directory" did not complete successfully: exit code: 1`:        false,
		"rpc error: code = Unavailable desc = error reading from server: EOF":                                        false, // the process's own end shows
		"runc not found on PATH: install it (apt-get install runc)":                                                  false,
	} {
		require.Equal(t, want, damagedBy(root, text), text)
	}
}

func TestBlamesState(t *testing.T) {
	require.True(t, blamesState(fmt.Errorf("opening the worker: %w", fs.ErrNotExist)))
	for _, errno := range []syscall.Errno{syscall.ENOSPC, syscall.EROFS, syscall.EMFILE, syscall.EACCES} {
		require.False(t, blamesState(fmt.Errorf("opening the worker: %w", &fs.PathError{Op: "open", Path: "x", Err: errno})), errno)
	}
}

func TestEnterState(t *testing.T) {
	state := func(t *testing.T) string {
		root := t.TempDir()
		require.NoError(t, os.MkdirAll(filepath.Join(root, "overlayfs"), 0o755))
		for _, name := range []string{"cache.db", "overlayfs/metadata_v2.db", "overlayfs/workerid"} {
			require.NoError(t, os.WriteFile(filepath.Join(root, name), []byte(name), 0o600))
		}
		require.NoError(t, enterState(root), "of an engine that knew no checksums")
		return root
	}
	t.Run("left in good order", func(t *testing.T) {
		root := state(t)
		require.NoError(t, leaveState(root))
		require.NoError(t, enterState(root))
	})
	t.Run("killed", func(t *testing.T) {
		root := state(t)
		require.NoError(t, os.WriteFile(filepath.Join(root, "cache.db"), []byte("newer"), 0o600))
		require.NoError(t, enterState(root))
	})
	t.Run("the machine went down", func(t *testing.T) {
		root := state(t)
		require.NoError(t, os.WriteFile(filepath.Join(root, openFile), []byte("another boot"), 0o600))
		err := enterState(root)
		require.ErrorIs(t, err, errDamaged)
		require.ErrorContains(t, err, "the machine went down while it was in use")
	})
	t.Run("changed", func(t *testing.T) {
		root := state(t)
		require.NoError(t, leaveState(root))
		require.NoError(t, os.Remove(filepath.Join(root, "cache.db")))
		require.NoError(t, os.WriteFile(filepath.Join(root, "overlayfs/workerid"), nil, 0o600))
		require.EqualError(t, enterState(root), "damaged: cache.db, overlayfs/workerid changed since its last use")
	})
	t.Run("removed", func(t *testing.T) {
		root := state(t)
		require.NoError(t, leaveState(root))
		require.NoError(t, os.WriteFile(filepath.Join(root, lockFile), nil, 0o600))
		require.NoError(t, removeDamaged(root))
		require.FileExists(t, filepath.Join(root, "cache.db"), "nobody said that it is damaged")
		require.NoError(t, noteDamage(root, "for a\ntest"))
		reason, err := knownDamage(root)
		require.NoError(t, err)
		require.Equal(t, "for a test", reason)
		require.NoError(t, removeDamaged(root))
		left, err := os.ReadDir(root)
		require.NoError(t, err)
		require.Len(t, left, 1, "the lock is in use")
		require.NoError(t, enterState(root))
	})
}

// A kill between a snapshot's directory and its record must not be in the way of the
// next snapshot, which gets the same number.
func TestEnterStateSweepsSnapshots(t *testing.T) {
	for name, open := range map[string]func(string) (snapshots.Snapshotter, error){
		"native":    native.NewSnapshotter,
		"overlayfs": func(dir string) (snapshots.Snapshotter, error) { return overlay.NewSnapshotter(dir) },
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			require.NoError(t, enterState(root))
			own := filepath.Join(root, name, "snapshots")
			require.NoError(t, os.MkdirAll(own, 0o700))
			prepare := func(key string) {
				s, err := open(own)
				require.NoError(t, err)
				_, err = s.Prepare(t.Context(), key, "")
				require.NoError(t, err)
				require.NoError(t, s.Close())
			}
			prepare("first")
			dir := filepath.Join(own, "snapshots")
			for _, orphan := range []string{"2/fs", "2/work", "new-1/fs", "rm-7/fs"} {
				require.NoError(t, os.MkdirAll(filepath.Join(dir, orphan), 0o700))
			}
			require.NoError(t, os.Rename(filepath.Join(dir, "1"), filepath.Join(dir, "rm-1")))

			require.NoError(t, enterState(root))
			entries, err := os.ReadDir(dir)
			require.NoError(t, err)
			require.Len(t, entries, 1)
			require.Equal(t, "1", entries[0].Name())
			prepare("second")

			require.NoError(t, os.WriteFile(filepath.Join(own, "metadata.db"), []byte("no database"), 0o600))
			require.ErrorIs(t, enterState(root), errDamaged)
		})
	}
}

func TestKnownDamage(t *testing.T) {
	for text, want := range map[string]string{
		"": "",
		"something that another package's init wrote\n":                "",
		"panic: page 7\n\ngoroutine 1 [running]:\nmain()\n":            "panic: page 7",
		"init\nunexpected fault address 0x7f\nfatal error: fault\n":    "unexpected fault address 0x7f",
		"fatal error: runtime: out of memory\n":                        "",
		"fatal error: runtime: cannot allocate memory\ngoroutine 1:\n": "",
	} {
		root := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(root, stderrFile), []byte(text), 0o600))
		if want != "" {
			want = "BuildKit's process crashed on it: " + want
		}
		for range 2 { // the second time from its own note
			got, err := knownDamage(root)
			require.NoError(t, err)
			require.Equal(t, want, got, text)
			require.NoError(t, os.RemoveAll(filepath.Join(root, damagedFile)))
		}
	}
}
