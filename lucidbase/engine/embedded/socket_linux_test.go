package embedded

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// A program with another BuildKit does not join: the version names BuildKit's.
func TestVersionIsBuildKits(t *testing.T) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Version}}", "github.com/moby/buildkit").Output()
	require.NoError(t, err)
	fields := strings.Fields(version)
	require.Equal(t, strings.TrimSpace(string(out)), fields[len(fields)-1])
	require.Equal(t, childName, fields[0])
}

func TestStrangersAreRefused(t *testing.T) {
	requireEngine(t)
	dir, err := os.MkdirTemp("/tmp", "socket")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	require.NoError(t, os.Chmod(dir, 0o755))
	path := filepath.Join(dir, "s")
	lis, err := net.Listen("unix", path)
	require.NoError(t, err)
	defer lis.Close()
	require.NoError(t, os.Chmod(path, 0o777))
	for user, want := range map[int]error{0: nil, nobody: errStranger} {
		go func() {
			runtime.LockOSThread() // the user is a thread's here, which ends with it
			if _, _, errno := unix.RawSyscall(unix.SYS_SETRESUID, ^uintptr(0), uintptr(user), ^uintptr(0)); errno != 0 {
				panic(errno)
			}
			if conn, err := net.Dial("unix", path); err == nil {
				defer conn.Close()
				_, _ = conn.Read(make([]byte, 1))
			}
		}()
		conn, err := lis.Accept()
		require.NoError(t, err)
		require.Equal(t, want, samePeer(conn.(*net.UnixConn)))
		require.NoError(t, conn.Close())
	}
}

// The socket is for its user alone, whatever the umask.
func TestSocketIsPrivate(t *testing.T) {
	for _, mask := range []int{0, 0o077, 0o277} {
		before := unix.Umask(mask)
		root := t.TempDir()
		f, err := listen(root)
		unix.Umask(before)
		require.NoError(t, err)
		info, err := os.Stat(filepath.Join(root, socketFile))
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
		require.NoError(t, f.Close())
	}
}

// BuildKit's process serves others than who started it: it has no secret of theirs.
func TestChildEnv(t *testing.T) {
	require.Equal(t, []string{"PATH=/bin", "https_proxy=http://proxy.invalid", "GOMAXPROCS=2"}, childEnv([]string{
		"PATH=/bin", "TOKEN=secret", "https_proxy=http://proxy.invalid", "TMPDIR=/somewhere", "GOMAXPROCS=2", "LUCID_X=", "",
	}))
}
