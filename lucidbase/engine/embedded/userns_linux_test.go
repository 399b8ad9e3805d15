package embedded

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// nobody is a user that every machine has.
const nobody = 65534

// prepare takes from a process what its job goes without, and goes on as the
// job's user. The process has mounts of its own.
func (j job) prepare() error {
	if j.User == 0 && j.Without == "" {
		return nil
	}
	if err := j.prepareMachine(); err != nil {
		return err
	}
	runtime.LockOSThread() // capabilities are a thread's
	if j.Without == "admin" {
		if err := unix.Prctl(unix.PR_CAPBSET_DROP, unix.CAP_SYS_ADMIN, 0, 0, 0); err != nil {
			return err
		}
	}
	if j.User != 0 {
		if err := syscall.Setgroups(nil); err != nil {
			return err
		}
		if err := syscall.Setgid(j.User); err != nil {
			return err
		}
		if err := syscall.Setuid(j.User); err != nil {
			return err
		}
	}
	j.User, j.Without = 0, ""
	text, err := json.Marshal(j)
	if err != nil {
		return err
	}
	if err := os.Setenv(jobVariable, string(text)); err != nil {
		return err
	}
	return unix.Exec("/proc/self/exe", []string{"test"}, os.Environ())
}

// prepareMachine sets up the user's subordinate ids, in a copy of /etc that this
// process alone sees.
func (j job) prepareMachine() error {
	switch j.Without {
	case "newuidmap":
		return os.Setenv("PATH", "/nonexistent")
	case "user namespaces":
		if err := os.WriteFile("/proc/sys/user/max_user_namespaces", []byte("0"), 0); err != nil {
			return err
		}
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return err
	}
	upper, work := filepath.Join(j.StateDir, "etc"), filepath.Join(j.StateDir, "work")
	if err := os.MkdirAll(work, 0o755); err != nil {
		return err
	}
	if err := os.MkdirAll(upper, 0o755); err != nil {
		return err
	}
	line := fmt.Sprintf("%d:1000000:65536\n", j.User)
	if j.Without == "range" {
		line = ""
	}
	for _, name := range []string{"subuid", "subgid"} {
		if err := os.WriteFile(filepath.Join(upper, name), []byte(line), 0o644); err != nil {
			return err
		}
	}
	return unix.Mount("overlay", "/etc", "overlay", 0, "lowerdir=/etc,upperdir="+upper+",workdir="+work)
}

// ownedDir is a user's directory that is not below one of root's, with a copy of
// the fixture.
func ownedDir(t *testing.T, f fixture, user int) (string, fixture) {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "rootless")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	if f.Dir != "" {
		require.NoError(t, os.CopyFS(filepath.Join(dir, "store"), os.DirFS(f.Dir)))
		f.Dir = filepath.Join(dir, "store")
	}
	require.NoError(t, filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		require.NoError(t, err)
		return os.Chown(path, user, user)
	}))
	return dir, f
}

func ownMounts(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNS}
	cmd.Env = append(cmd.Env, "TMPDIR=/tmp")
}

func requireUserns(t *testing.T) {
	t.Helper()
	requireEngine(t)
	if _, err := exec.LookPath("newuidmap"); err != nil {
		missing(t, "newuidmap not found: install it (apt-get install uidmap)")
	}
}

func TestAnyUserBuildsTheSame(t *testing.T) {
	requireUserns(t)
	f := newFixture(t)
	want, err := build(t.Context(), open(t, t.TempDir()), f, modes(f), nil)
	require.NoError(t, err)

	dir, f := ownedDir(t, f, nobody)
	starter := startJob(t, job{StateDir: dir, Do: "hold", User: nobody}, ownMounts)
	starter.expect(t, "open")
	c := startJob(t, job{StateDir: dir, Fixture: f, Do: "modes", User: nobody}, ownMounts)
	c.expect(t, "open")
	require.Len(t, buildKits(t, dir), 1, "both use one")
	require.NoError(t, starter.Process.Kill())
	got := c.result(t)
	require.Equal(t, want.Entries, got.Entries)
	require.Equal(t, want.Layers, got.Layers)
}

func TestErrorsSayWhatToDo(t *testing.T) {
	requireUserns(t)
	for without, c := range map[string]struct {
		user int
		want []string
	}{
		"newuidmap":       {nobody, []string{"newuidmap not found on PATH", "apt-get install uidmap"}},
		"range":           {nobody, []string{"/etc/subuid has no range of 65535 ids", "usermod --add-subuids", "nobody"}},
		"user namespaces": {nobody, []string{"making a user namespace", "allow user namespaces"}},
		"admin":           {0, []string{"root has no CAP_SYS_ADMIN here", "privileged"}},
	} {
		t.Run(without, func(t *testing.T) {
			dir, _ := ownedDir(t, fixture{}, nobody)
			j := job{StateDir: dir, Do: "hold", User: c.user, Without: without}
			child := startJob(t, j, func(cmd *exec.Cmd) {
				ownMounts(cmd)
				if without == "user namespaces" { // a setting of the namespace itself
					all := []syscall.SysProcIDMap{{Size: nobody + 1}}
					cmd.SysProcAttr.Cloneflags |= unix.CLONE_NEWUSER
					cmd.SysProcAttr.UidMappings, cmd.SysProcAttr.GidMappings = all, all
					cmd.SysProcAttr.GidMappingsEnableSetgroups = true
				}
			})
			line := child.expect(t, "error: starting BuildKit in "+dir)
			for _, text := range append(c.want, otherWay) {
				require.Contains(t, line, text)
			}
			require.NotContains(t, strings.TrimSpace(line), "\n")
		})
	}
}
