package lucidtest_test

import (
	"bufio"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/lucid-project/base-images/lucidbase/lucidtest"
)

// Some tests are about programs: this one starts itself again, to run the test
// TestInChild alone.

// The child's environment.
const (
	layoutEnv = "LUCIDTEST_LAYOUT" // the image's layout
	endEnv    = "LUCIDTEST_END"    // how the child ends
	markEnv   = "LUCIDTEST_MARK"   // an argument of the container's process
	userEnv   = "LUCIDTEST_USER"   // the user that the child becomes
)

func TestMain(m *testing.M) {
	if user := os.Getenv(userEnv); user != "" {
		fmt.Println(becomeUser(user))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func TestInChild(t *testing.T) {
	dir := os.Getenv(layoutEnv)
	if dir == "" {
		t.Skip("for a child of another test")
	}
	index, err := layout.ImageIndexFromPath(dir)
	require.NoError(t, err)
	list, err := index.IndexManifest()
	require.NoError(t, err)
	img, err := index.Image(list.Manifests[0].Digest)
	require.NoError(t, err)
	program := "import runpy, sys; sys.argv = ['http.server', '--directory', '/etc']; runpy.run_module('http.server', run_name='__main__')"
	options := []lucidtest.Option{lucidtest.Args("python", "-c", program, os.Getenv(markEnv)), lucidtest.WaitHTTP(":8000/hostname")}
	if os.Getuid() != 0 {
		options = append(options, lucidtest.Peers(t, map[string]lucidtest.Peer{"users": {Image: img, Options: options}, "redis": redis()}))
	}
	c := lucidtest.RunImage(t, img, options...)
	require.Equal(t, "bare-base\n", get(t, c.Client(), "http://bare-base:8000/hostname"))
	if os.Getuid() != 0 {
		require.Equal(t, "users\n", get(t, c.Client(), "http://users:8000/hostname"))
		require.Equal(t, "+PONG", ask(t, c, "redis:6379", "PING"))
		require.Equal(t, "+OK", ask(t, c, "redis:6379", "SAVE"), "/data can be written")
	}
	switch os.Getenv(endEnv) {
	case "":
		fmt.Println("uid", strings.TrimSpace(c.Exec("python", "-c", "import os; print(os.getuid())").Stdout))
	case "fatal":
		fmt.Println("ready")
		t.Fatal("the end")
	case "panic":
		fmt.Println("ready")
		panic("the end")
	default:
		fmt.Println("ready")
		time.Sleep(time.Hour)
	}
}

// childCommand is this program as a child, with the shared image in a layout.
func childCommand(t *testing.T, dir string, env ...string) *exec.Cmd {
	t.Helper()
	_, err := layout.Write(dir, mutate.AppendManifests(empty.Index, mutate.IndexAddendum{Add: pythonImage(t)}))
	require.NoError(t, err)
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(self, "-test.run=^TestInChild$", "-test.v")
	cmd.Env = append(append(os.Environ(), layoutEnv+"="+dir), env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return cmd
}

func TestManyProgramsAtOnce(t *testing.T) {
	var all sync.WaitGroup
	for range 10 {
		cmd := childCommand(t, t.TempDir())
		all.Go(func() {
			out, err := cmd.CombinedOutput()
			if err != nil || !strings.Contains(string(out), "uid 65532") {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
	all.Wait()
}

// TestNothingIsLeft ends programs in every way that there is.
func TestNothingIsLeft(t *testing.T) {
	for how, end := range map[string]func(*exec.Cmd) error{
		"fatal":     func(*exec.Cmd) error { return nil },
		"panic":     func(*exec.Cmd) error { return nil },
		"interrupt": func(c *exec.Cmd) error { return syscall.Kill(-c.Process.Pid, syscall.SIGINT) },
		"terminate": func(c *exec.Cmd) error { return c.Process.Signal(syscall.SIGTERM) },
		"kill":      func(c *exec.Cmd) error { return c.Process.Kill() },
		"timeout":   func(*exec.Cmd) error { return nil },
	} {
		t.Run(how, func(t *testing.T) {
			mark := fmt.Sprintf("lucidtest-%s-%d", how, os.Getpid())
			cmd := childCommand(t, t.TempDir(), endEnv+"="+how, markEnv+"="+mark)
			if how == "timeout" {
				cmd.Args = append(cmd.Args, "-test.timeout=10s")
			}
			out, err := cmd.StdoutPipe()
			require.NoError(t, err)
			require.NoError(t, cmd.Start())
			lines := awaitReady(t, out)
			require.NoError(t, end(cmd))
			for lines.Scan() { // until its end
			}
			require.Error(t, cmd.Wait())
			require.Eventually(t, func() bool { return len(marked(t, mark)) == 0 }, 10*time.Second, 10*time.Millisecond, "processes are left: %v", marked(t, mark))

			var left []string
			for range 3 { // a process that has ended keeps its cgroup until it is waited for
				lucidtest.RunImage(t, pythonImage(t), lucidtest.Args("python", "-c", "")).Wait() // sweeps
				left, err = filepath.Glob(fmt.Sprintf("/sys/fs/cgroup/*/lucidtest-%d-*", cmd.Process.Pid))
				require.NoError(t, err)
				if len(left) == 0 {
					break
				}
			}
			require.Empty(t, left)
		})
	}
}

// awaitReady reads what a child says until its container runs.
func awaitReady(t *testing.T, out io.Reader) *bufio.Scanner {
	t.Helper()
	lines := bufio.NewScanner(out)
	for lines.Scan() && lines.Text() != "ready" {
	}
	require.Equal(t, "ready", lines.Text())
	return lines
}

// marked lists the processes of this machine that have an argument.
func marked(t *testing.T, mark string) (pids []string) {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	require.NoError(t, err)
	for _, file := range files {
		if text, err := os.ReadFile(file); err == nil && strings.Contains(string(text), mark) {
			pids = append(pids, filepath.Base(filepath.Dir(file)))
		}
	}
	return pids
}

// nobody is a user that every machine has.
const nobody = 65534

func TestAnyUser(t *testing.T) {
	if _, err := exec.LookPath("newuidmap"); err != nil {
		require.NotEqual(t, "1", os.Getenv("LUCID_REQUIRE_ENGINE"), "newuidmap is not installed: apt-get install uidmap")
		t.Skip("newuidmap is not installed")
	}
	requireRunc(t)
	home, err := os.MkdirTemp("/tmp", "rootless") // not below a directory of root's
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(home)) })
	dir := filepath.Join(home, "layout")
	cmd := childCommand(t, dir, userEnv+"="+strconv.Itoa(nobody), "XDG_CACHE_HOME="+home, "HOME="+home, "TMPDIR=/tmp")
	require.NoError(t, filepath.WalkDir(home, func(path string, _ fs.DirEntry, err error) error {
		require.NoError(t, err)
		return os.Lchown(path, nobody, nobody)
	}))
	cmd.SysProcAttr.Cloneflags = unix.CLONE_NEWNS
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	require.Contains(t, string(out), "uid 65532")
}

// becomeUser starts the program anew as a user with subordinate ids, from a copy of
// /etc that this process alone sees.
func becomeUser(user string) error {
	uid, err := strconv.Atoi(user)
	if err != nil {
		return err
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return err
	}
	etc := filepath.Join(os.Getenv("HOME"), "etc")
	if err := os.Mkdir(etc, 0o755); err != nil {
		return err
	}
	if err := unix.Mount("tmpfs", etc, "tmpfs", 0, ""); err != nil {
		return err
	}
	upper, work := filepath.Join(etc, "upper"), filepath.Join(etc, "work")
	for _, dir := range []string{upper, work} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			return err
		}
	}
	for _, name := range []string{"subuid", "subgid"} {
		if err := os.WriteFile(filepath.Join(upper, name), []byte(user+":1000000:65536\n"), 0o644); err != nil {
			return err
		}
	}
	if err := unix.Mount("overlay", "/etc", "overlay", 0, "lowerdir=/etc,upperdir="+upper+",workdir="+work); err != nil {
		return err
	}
	if err := syscall.Setgroups(nil); err != nil {
		return err
	}
	if err := syscall.Setgid(uid); err != nil {
		return err
	}
	if err := syscall.Setuid(uid); err != nil {
		return err
	}
	if err := os.Unsetenv(userEnv); err != nil {
		return err
	}
	return unix.Exec("/proc/self/exe", os.Args, os.Environ())
}
