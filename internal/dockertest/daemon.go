//go:build linux

// Package dockertest starts real container engines for tests: Docker 20.10 and 28,
// Podman and containerd, each on a socket and with directories of its own. Nothing of
// them is left when the test ends, however it ends: an engine has mounts, processes and
// by default a network that end with it, and it ends with the test's process.
package dockertest

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Daemon is a container engine that a test started.
type Daemon struct {
	// Host is its address, as DOCKER_HOST has it.
	Host string
	// Dir holds all its files.
	Dir string

	cmd  *exec.Cmd
	log  *output
	done chan struct{} // closed when it has ended
}

// Network is what an engine and its containers reach.
type Network int

const (
	// Own is a network with nothing in it: the engine is reached by its socket alone.
	Own Network = iota
	// Behind is a network of its own behind the machine's, whose loopback is Loopback
	// there.
	Behind
	// Machine is the machine's network.
	Machine
)

// Loopback is the address at which an engine Behind the machine's network reaches the
// machine's loopback.
const Loopback = "10.0.2.2"

// missing makes a test fail, or skips it where it may be, because of what is missing.
func missing(t testing.TB, reason string) {
	t.Helper()
	require.NotEqual(t, "1", os.Getenv("LUCID_REQUIRE_ENGINE"), reason)
	t.Skip(reason)
}

// Need skips a test where engines cannot run.
func Need(t testing.TB, programs ...string) {
	t.Helper()
	if testing.Short() && os.Getenv("LUCID_REQUIRE_ENGINE") != "1" {
		t.Skip("starts " + programs[0])
	}
	if os.Geteuid() != 0 {
		missing(t, "starting "+programs[0]+" needs root")
	}
	for _, program := range programs {
		if _, err := exec.LookPath(program); err != nil {
			missing(t, program+" is not installed: .ci/setup test")
		}
	}
}

// newDaemon makes an engine's directory. It is not the test's own one: a socket's path
// has at most 107 bytes.
func newDaemon(t testing.TB, socket string) *Daemon {
	t.Helper()
	dir, err := os.MkdirTemp("", "engine-")
	require.NoError(t, err)
	d := &Daemon{Host: "unix://" + filepath.Join(dir, socket), Dir: dir, log: &output{}, done: make(chan struct{})}
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	// A directory of its own, so that nothing of the user's counts. Podman wants the file.
	require.NoError(t, os.Mkdir(d.config(), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(d.config(), "config.json"), []byte("{}"), 0o600))
	return d
}

// Socket is the path in Host.
func (d *Daemon) Socket() string { return strings.TrimPrefix(d.Host, "unix://") }

// config is the directory of the client's settings.
func (d *Daemon) config() string { return filepath.Join(d.Dir, "config") }

// setup runs as the first process of the engine's namespaces, and becomes the engine.
const setup = `mount --make-rprivate / && mount -t proc proc /proc && { [ -z "$OWN_NETWORK" ] || ip link set lo up; } &&
while [ "$OWN_NETWORK" = behind ] && ! ip route show default | grep -q tap0; do sleep 0.02; done && exec "$@"`

// start runs the engine in namespaces of its own. As their first process it takes all
// others and all mounts along when it ends.
func (d *Daemon) start(t testing.TB, network Network, ready func() error, argv ...string) {
	t.Helper()
	d.cmd = exec.Command("sh", append([]string{"-c", setup, "sh"}, argv...)...)
	d.cmd.Stdout, d.cmd.Stderr = d.log, d.log
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWPID, Pdeathsig: syscall.SIGKILL}
	d.cmd.Env = append(os.Environ(), "OWN_NETWORK=")
	if network != Machine {
		d.cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWNET
		d.cmd.Env = append(d.cmd.Env, "OWN_NETWORK="+map[Network]string{Own: "alone", Behind: "behind"}[network])
	}
	started := make(chan error)
	go func() {
		runtime.LockOSThread() // the signal comes when this thread ends
		defer runtime.UnlockOSThread()
		err := d.cmd.Start()
		started <- err
		if err == nil {
			_ = d.cmd.Wait() // how it ended is in its log
			close(d.done)
		}
	}()
	require.NoError(t, <-started)
	t.Cleanup(func() { d.Stop(t) })
	if network == Behind {
		d.connect(t)
	}
	d.wait(t, ready)
}

// connect puts the engine's network behind the machine's, until the test or its process
// ends.
func (d *Daemon) connect(t testing.TB) {
	t.Helper()
	open, end, err := os.Pipe()
	require.NoError(t, err)
	slirp := exec.Command("slirp4netns", "--configure", "--mtu=65520", "--exit-fd=3", strconv.Itoa(d.cmd.Process.Pid), "tap0")
	slirp.ExtraFiles = []*os.File{open}
	require.NoError(t, slirp.Start())
	require.NoError(t, open.Close())
	t.Cleanup(func() {
		require.NoError(t, end.Close())
		_ = slirp.Wait()
	})
}

// patience is how long an engine may take to start on a busy machine.
const patience = 90 * time.Second

func (d *Daemon) wait(t testing.TB, ready func() error) {
	t.Helper()
	deadline := time.After(patience)
	for {
		err := ready()
		if err == nil {
			return
		}
		select {
		case <-d.done:
			require.FailNow(t, "it ended: "+d.log.String())
		case <-deadline:
			require.FailNow(t, "it does not answer: "+err.Error()+"\n"+d.log.String())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// Stop ends the engine and its containers.
func (d *Daemon) Stop(t testing.TB) {
	t.Helper()
	_ = d.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	select {
	case <-d.done:
	case <-time.After(20 * time.Second):
		d.Kill()
	}
	if t.Failed() {
		t.Log(d.log.String())
	}
}

// Kill ends the engine and its containers at once, as a crash would.
func (d *Daemon) Kill() {
	_ = d.cmd.Process.Kill() // it may have ended
	<-d.done
}

// Log returns what the engine has said.
func (d *Daemon) Log() string { return d.log.String() }

// Run runs a program with the engine as its DOCKER_HOST, such as "docker", and returns
// what it printed on standard output.
func (d *Daemon) Run(t testing.TB, argv ...string) string {
	t.Helper()
	out, err := d.Try(argv...)
	require.NoError(t, err)
	return out
}

// Try is Run whose program may fail. The error has what it said.
func (d *Daemon) Try(argv ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env = append(os.Environ(), "DOCKER_HOST="+d.Host, "CONTAINER_HOST="+d.Host, "DOCKER_CONTEXT=", "DOCKER_CONFIG="+d.config())
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return stdout.String(), errors.New(strings.Join(argv, " ") + ": " + err.Error() + ": " + stdout.String() + stderr.String())
	}
	return stdout.String(), nil
}

// output is what a process says, to read while it runs.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}
