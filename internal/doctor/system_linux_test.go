package doctor

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/lucid-project/base-images/internal/dockertest"
)

// asNobody has the environment's value when the test's process is another user's.
const asNobody = "DOCTOR_AS_NOBODY"

func TestMain(m *testing.M) {
	if os.Getenv(asNobody) != "" {
		_ = json.NewEncoder(os.Stdout).Encode(machine().Look(context.Background()))
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// needRoot skips a test that mounts something.
func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		require.NotEqual(t, "1", os.Getenv("LUCID_REQUIRE_ENGINE"), "not root")
		t.Skip("not root")
	}
}

// mount mounts memory for the test.
func mount(t *testing.T, flags uintptr, options string) string {
	t.Helper()
	needRoot(t)
	dir := t.TempDir()
	require.NoError(t, unix.Mount("tmpfs", dir, "tmpfs", flags, options))
	t.Cleanup(func() { require.NoError(t, unix.Unmount(dir, unix.MNT_DETACH)) })
	return dir
}

func TestRunc(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir)
	found := machine().runc(t.Context())
	require.Equal(t, Bad, found.Status)
	require.Equal(t, "runc not found on PATH", found.Found)
	require.Equal(t, "install it (apt-get install runc)", found.Advice)

	require.NoError(t, os.WriteFile(filepath.Join(dir, "runc"), []byte("#!/bin/sh\necho broken; exit 1\n"), 0o700))
	require.Contains(t, machine().runc(t.Context()).Found, "broken")
}

func TestDisk(t *testing.T) {
	m := machine()
	m.CacheDir = filepath.Join(mount(t, unix.MS_RDONLY, ""), "cache")
	found := m.disk(t.Context())
	require.Equal(t, Bad, found.Status)
	require.Contains(t, found.Found, "read-only file system")

	m.CacheDir = mount(t, 0, "size=4m")
	found = m.disk(t.Context())
	require.Equal(t, Bad, found.Status)
	require.Contains(t, found.Found, "4.194MB free")
	require.Contains(t, found.Advice, "prune")

	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	m.CacheDir = filepath.Join(file, "cache")
	require.Equal(t, Bad, m.disk(t.Context()).Status)
}

func TestCgroups(t *testing.T) {
	require.Equal(t, Bad, cgroupsAt(t.TempDir()).Status, "not mounted")
	require.Equal(t, Bad, cgroupsAt(mount(t, unix.MS_RDONLY, "")).Status)
	require.Equal(t, OK, machine().cgroups(t.Context()).Status)
}

func TestMemory(t *testing.T) {
	meminfo := func(kB string) *fstest.MapFile {
		return &fstest.MapFile{Data: []byte("MemTotal: 1 kB\nMemAvailable:   " + kB + " kB\n")}
	}
	for name, c := range map[string]struct {
		files  fstest.MapFS
		status Status
	}{
		"enough":  {fstest.MapFS{"proc/meminfo": meminfo("4000000")}, OK},
		"little":  {fstest.MapFS{"proc/meminfo": meminfo("600000")}, Note},
		"none":    {fstest.MapFS{"proc/meminfo": meminfo("100000")}, Bad},
		"unknown": {fstest.MapFS{}, Note},
		"a container's share": {fstest.MapFS{
			"proc/meminfo":                 meminfo("4000000"),
			"sys/fs/cgroup/memory.max":     {Data: []byte("300000000\n")},
			"sys/fs/cgroup/memory.current": {Data: []byte("100000000\n")},
		}, Bad},
		"no limit": {fstest.MapFS{
			"proc/meminfo":                 meminfo("4000000"),
			"sys/fs/cgroup/memory.max":     {Data: []byte("max\n")},
			"sys/fs/cgroup/memory.current": {Data: []byte("100000000\n")},
		}, OK},
	} {
		require.Equal(t, c.status, memoryOf(c.files).Status, name)
	}
}

func TestKernel(t *testing.T) {
	for release, status := range map[string]Status{"6.1.0-18-amd64": OK, "5.10.0": Note, "4.19.0": Note, "5.11-rc1": OK, "?": Note} {
		require.Equal(t, status, kernelOf(release).Status, release)
	}
}

func TestElsewhere(t *testing.T) {
	m := machine()
	m.Embedded = false
	t.Setenv("PATH", t.TempDir())
	for _, found := range m.Look(t.Context()) {
		require.NotEqual(t, Bad, found.Status, "steps run on another machine: %v", found)
	}
}

// A user without newuidmap, for whom everything else is as root has it.
func TestNobody(t *testing.T) {
	needRoot(t)
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = []string{asNobody + "=yes", "PATH=/nonexistent", "HOME=/nonexistent"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	out, err := cmd.Output()
	require.NoError(t, err)
	var findings []Finding
	require.NoError(t, json.Unmarshal(out, &findings))
	found := map[string]Finding{}
	for _, f := range findings {
		found[f.Check] = f
	}
	require.Equal(t, Bad, found["namespaces"].Status)
	require.Contains(t, found["namespaces"].Found, "newuidmap")
	require.Contains(t, found["namespaces"].Advice, "run as root")
	require.Equal(t, OK, found["cgroups"].Status)
}

func TestNamespaces(t *testing.T) {
	needRoot(t)
	require.Equal(t, OK, machine().namespaces(t.Context()).Status)
}

func TestDocker(t *testing.T) {
	t.Setenv("DOCKER_HOST", "unix://"+filepath.Join(t.TempDir(), "none.sock"))
	require.Equal(t, OK, machine().docker(t.Context()).Status, "none")
	t.Setenv("DOCKER_HOST", "tcp://"+refuses(t)[len("http://"):])
	require.Contains(t, machine().docker(t.Context()).Found, "connection refused")
	t.Setenv("DOCKER_HOST", "tcp://"+serve(t, 500)[len("http://"):])
	require.Equal(t, Note, machine().docker(t.Context()).Status)
	t.Setenv("DOCKER_HOST", "nonsense")
	require.Equal(t, Note, machine().docker(t.Context()).Status)

	t.Setenv("DOCKER_HOST", dockertest.Docker{}.Start(t).Host)
	found := machine().docker(t.Context())
	require.Equal(t, Note, found.Status)
	require.Contains(t, found.Found, "classic image store, overlay2")
}
