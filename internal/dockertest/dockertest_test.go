//go:build linux

package dockertest

import (
	"archive/tar"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// program writes a file system with one static program to a tar.
func program(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "main.go"), []byte("package main\n\nfunc main() { println(\"it runs\") }\n"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module hello\n"), 0o600))
	tool(t, dir, "build", "-o", "hello", ".")
	data, err := os.ReadFile(filepath.Join(dir, "hello"))
	require.NoError(t, err)
	var out bytes.Buffer
	tw := tar.NewWriter(&out)
	require.NoError(t, tw.WriteHeader(&tar.Header{Name: "hello", Mode: 0o755, Size: int64(len(data))}))
	_, err = tw.Write(data)
	require.NoError(t, err)
	require.NoError(t, tw.Close())
	file := filepath.Join(dir, "rootfs.tar")
	require.NoError(t, os.WriteFile(file, out.Bytes(), 0o600))
	return file
}

func requireRuns(t *testing.T, d *Daemon, command ...string) {
	t.Helper()
	d.Run(t, append(command, "import", program(t), "hello:latest")...)
	out := d.Run(t, append(command, "run", "--rm", "--network", "none", "hello:latest", "/hello")...)
	require.Empty(t, out, "println writes to standard error")
}

func TestDocker(t *testing.T) {
	d := Docker{}.Start(t)
	require.Equal(t, "20.10", d.Run(t, "docker", "version", "--format", "{{.Server.Version}}")[:5])
	require.Contains(t, d.Run(t, "docker", "info", "--format", "{{.Driver}}"), "overlay2")
	requireRuns(t, d, "docker")
}

func TestPodman(t *testing.T) { requireRuns(t, Podman(t), "podman", "--remote") }

func TestContainerd(t *testing.T) {
	d := Containerd(t)
	require.Contains(t, d.Run(t, "ctr", "--address", d.Socket(), "plugins", "list"), "overlayfs")
}

func TestLongDocker28(t *testing.T) {
	for driver, docker := range map[string]Docker{
		"overlay2":  {Version28: true},
		"overlayfs": {Version28: true, ContainerdStore: true},
	} {
		t.Run(driver, func(t *testing.T) {
			d := docker.Start(t)
			require.Equal(t, "28.5.2\n", d.Run(t, "docker", "version", "--format", "{{.Server.Version}}"))
			require.Equal(t, driver+"\n", d.Run(t, "docker", "info", "--format", "{{.Driver}}"))
			requireRuns(t, d, "docker")
		})
	}
}

// An engine whose test was killed is gone, and so are its mounts.
func TestEndsWithTheTest(t *testing.T) {
	if dir := os.Getenv("DOCKERTEST_DIE"); dir != "" {
		d := Docker{}.Start(t)
		require.NoError(t, os.WriteFile(filepath.Join(dir, "socket"), []byte(d.Socket()), 0o600))
		require.NoError(t, syscall.Kill(os.Getpid(), syscall.SIGKILL))
	}
	Need(t, "dockerd", "containerd", "runc", "docker")
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0], "-test.run", "^TestEndsWithTheTest$")
	cmd.Env = append(os.Environ(), "DOCKERTEST_DIE="+dir)
	require.ErrorContains(t, cmd.Run(), "killed")
	data, err := os.ReadFile(filepath.Join(dir, "socket"))
	require.NoError(t, err)
	socket := string(data)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(filepath.Dir(socket)), "nothing of it is mounted") })
	require.Eventually(t, func() bool { return ping(socket) != nil }, 10*time.Second, 50*time.Millisecond, "it runs on")
	require.Eventually(t, func() bool { return len(processes(t, filepath.Dir(socket))) == 0 }, 10*time.Second, 50*time.Millisecond)
	mounts, err := os.ReadFile("/proc/self/mounts")
	require.NoError(t, err)
	require.NotContains(t, string(mounts), filepath.Dir(socket))
}

// processes lists those that have a text in their command line.
func processes(t *testing.T, text string) []string {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	require.NoError(t, err)
	var found []string
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err == nil && strings.Contains(string(data), text) {
			found = append(found, string(data))
		}
	}
	return found
}
