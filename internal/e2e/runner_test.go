//go:build linux

package e2e

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"github.com/stretchr/testify/require"
)

//go:embed testdata/*.py testdata/stdlib.txt
var probeFiles embed.FS

// probeDir is where a container finds testdata: below its tmpfs, as the root
// file system is read-only and has no place for it.
const probeDir = "/tmp/probe"

// runLimit is far above what a probe takes under emulation on a busy machine.
const runLimit = 5 * time.Minute

// container is an unpacked image that runs as Lucid's compose files run it:
// read-only, no capabilities, no new privileges, a tmpfs at /tmp.
type container struct {
	bundle string
	rootfs string
	config v1.Config
	arch   string
}

// newContainer skips where images cannot run: not Linux, not root, no runc.
func newContainer(t *testing.T, rootfs string, img v1.Image, arch string) container {
	t.Helper()
	if os.Geteuid() != 0 {
		missing(t, "running images needs root")
	}
	if _, err := exec.LookPath("runc"); err != nil {
		missing(t, "running images needs runc")
	}
	if arch != runtime.GOARCH && !hasHandler(arch) {
		if _, err := exec.LookPath(emulators[arch].program); err != nil {
			missing(t, "running "+arch+" images needs qemu-user-static")
		}
	}
	image, err := img.ConfigFile()
	require.NoError(t, err)
	c := container{bundle: t.TempDir(), rootfs: rootfs, config: image.Config, arch: arch}
	probe := filepath.Join(c.bundle, "probe")
	require.NoError(t, os.Mkdir(probe, 0o700))
	require.NoError(t, os.Chmod(probe, 0o755)) // whatever the umask is
	entries, err := probeFiles.ReadDir("testdata")
	require.NoError(t, err)
	files := map[string][]byte{"find_library.py": documented(t, "find_library.py")}
	for _, e := range entries {
		files[e.Name()], err = probeFiles.ReadFile("testdata/" + e.Name())
		require.NoError(t, err)
	}
	for name, data := range files {
		file := filepath.Join(probe, name)
		require.NoError(t, os.WriteFile(file, data, 0o600))
		require.NoError(t, os.Chmod(file, 0o644))
	}
	return c
}

// documented is a file that docs/running.md shows: a block whose first line is a
// comment with its name.
func documented(t *testing.T, name string) []byte {
	t.Helper()
	page, err := os.ReadFile("../../docs/running.md")
	require.NoError(t, err)
	_, block, found := strings.Cut(string(page), "\n# "+name+"\n")
	require.True(t, found, name)
	block, _, found = strings.Cut(block, "\n```\n")
	require.True(t, found, name)
	return []byte(block + "\n")
}

// result is what a process left behind.
type result struct {
	stdout, stderr string
	code           int
	peak           int64 // memory in bytes, of the process or its largest child
}

// run starts args in a new container and waits for its end.
func (c container) run(t *testing.T, args ...string) result {
	t.Helper()
	spec, err := json.Marshal(c.spec(t, args))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(c.bundle, "config.json"), spec, 0o600))

	state := filepath.Join(c.bundle, "state")
	id := fmt.Sprintf("lucid-e2e-%d-%d", os.Getpid(), time.Now().UnixNano())
	ctx, cancel := context.WithTimeout(t.Context(), runLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, "runc", "--root", state, "run", "--bundle", c.bundle, id)
	if c.arch != runtime.GOARCH && !hasHandler(c.arch) {
		cmd = emulated(t, cmd, c.arch)
	}
	// Nothing is left running when the limit ends runc itself.
	defer func() { _ = exec.Command("runc", "--root", state, "delete", "--force", id).Run() }()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err = cmd.Run()
	require.NoError(t, ctx.Err(), "%s: no end after %s\n%s%s", args, runLimit, &stdout, &stderr)
	if cmd.ProcessState == nil {
		require.NoError(t, err)
	}
	return result{stdout: stdout.String(), stderr: stderr.String(), code: cmd.ProcessState.ExitCode()}
}

// spec has no network namespace of its own: a new one starts with its loopback
// interface down.
func (c container) spec(t *testing.T, args []string) specs.Spec {
	t.Helper()
	uid, gid := owner(t, c.config.User)
	return specs.Spec{
		Version: "1.0.2",
		Root:    &specs.Root{Path: c.rootfs, Readonly: true},
		Process: &specs.Process{
			User:            specs.User{UID: uid, GID: gid},
			Args:            append(append([]string{}, c.config.Entrypoint...), args...),
			Env:             c.config.Env,
			Cwd:             c.config.WorkingDir,
			Capabilities:    &specs.LinuxCapabilities{},
			NoNewPrivileges: true,
		},
		Mounts: []specs.Mount{
			{Destination: "/proc", Type: "proc", Source: "proc"},
			{Destination: "/dev", Type: "tmpfs", Source: "tmpfs", Options: []string{"nosuid", "mode=755"}},
			{Destination: "/dev/shm", Type: "tmpfs", Source: "shm", Options: []string{"nosuid", "nodev", "noexec", "mode=1777"}},
			{Destination: "/tmp", Type: "tmpfs", Source: "tmpfs", Options: []string{"nosuid", "nodev", "mode=1777"}},
			{Destination: probeDir, Type: "bind", Source: filepath.Join(c.bundle, "probe"), Options: []string{"bind", "ro"}},
		},
		Linux: &specs.Linux{Namespaces: []specs.LinuxNamespace{
			{Type: specs.PIDNamespace}, {Type: specs.IPCNamespace}, {Type: specs.UTSNamespace}, {Type: specs.MountNamespace},
		}},
	}
}

func owner(t *testing.T, user string) (uid, gid uint32) {
	t.Helper()
	u, g, ok := strings.Cut(user, ":")
	require.True(t, ok, "user %q is not UID:GID", user)
	return number(t, u), number(t, g)
}

func number(t *testing.T, text string) uint32 {
	t.Helper()
	n, err := strconv.ParseUint(text, 10, 32)
	require.NoError(t, err, "the user is not numeric")
	return uint32(n)
}
