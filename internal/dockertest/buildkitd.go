//go:build linux

package dockertest

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gofrs/flock"
	"github.com/stretchr/testify/require"
)

// Buildkitd is a BuildKit daemon to start, of the version that this module builds with.
// It reaches the machine's network. Its zero value listens on a socket.
type Buildkitd struct {
	// Certs is a directory with ca.pem, cert.pem and key.pem: it listens on a loopback
	// port, and takes clients whose certificate is of the same authority.
	Certs string
}

// Start starts a daemon that ends with the test. Its Host is as in BUILDKIT_HOST.
func (o Buildkitd) Start(t testing.TB) *Daemon {
	t.Helper()
	Need(t, "runc")
	program := buildkitd(t)
	d := newDaemon(t, "buildkitd.sock")
	args := []string{program, "--root", filepath.Join(d.Dir, "state"), "--otel-socket-path", filepath.Join(d.Dir, "otel.sock")}
	network, address := "unix", d.Socket()
	if o.Certs != "" {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		network, address = "tcp", listener.Addr().String()
		require.NoError(t, listener.Close())
		d.Host = "tcp://" + address
		args = append(args, "--tlscacert", filepath.Join(o.Certs, "ca.pem"),
			"--tlscert", filepath.Join(o.Certs, "cert.pem"), "--tlskey", filepath.Join(o.Certs, "key.pem"))
	}
	answers := func() error {
		conn, err := net.Dial(network, address)
		if err == nil {
			err = conn.Close()
		}
		return err
	}
	d.start(t, Machine, answers, append(args, "--addr", d.Host)...)
	return d
}

// buildkitd returns the program. It is built in a module of its own: ours need not know
// a daemon's modules.
func buildkitd(t testing.TB) string {
	t.Helper()
	version, err := exec.Command("go", "list", "-m", "-f", "{{.Version}}", "github.com/moby/buildkit").Output()
	require.NoError(t, err)
	return installed(t, "github.com/moby/buildkit/cmd/buildkitd", strings.TrimSpace(string(version)))
}

// buildxVersion is of the module github.com/docker/buildx.
const buildxVersion = "v0.38.2"

// Buildx returns a DOCKER_CONFIG of the test's own whose docker command has buildx.
func Buildx(t testing.TB) (config string) {
	t.Helper()
	Need(t, "docker")
	program := installed(t, "github.com/docker/buildx/cmd/buildx", buildxVersion)
	config = t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(config, "cli-plugins"), 0o755))
	require.NoError(t, os.Symlink(program, filepath.Join(config, "cli-plugins", "docker-buildx")))
	return config
}

// installed returns a module's program, which is built once for the machine: it stays in
// the user's cache directory.
func installed(t testing.TB, path, version string) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	require.NoError(t, err)
	module, _, _ := strings.Cut(path+"/", "/cmd/")
	dir := filepath.Join(cache, "lucidbase-dockertest", filepath.Base(path)+"-"+version)
	require.NoError(t, os.MkdirAll(dir, 0o755))
	lock := flock.New(filepath.Join(dir, "lock"))
	require.NoError(t, lock.Lock())
	defer func() { require.NoError(t, lock.Close()) }()
	program := filepath.Join(dir, filepath.Base(path))
	if _, err := os.Stat(program); err == nil {
		return program
	}
	// A module of its own: "go install" refuses modules that replace others.
	work := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(work, "go.mod"), []byte("module tool\n\ngo 1.26\n\nrequire "+module+" "+version+"\n\ntool "+path+"\n"), 0o600))
	tool(t, work, "mod", "tidy")
	tool(t, work, "build", "-ldflags", "-s -w -X "+module+"/version.Version="+version, "-o", program+".new", path)
	require.NoError(t, os.Rename(program+".new", program))
	return program
}
