//go:build linux

package e2e

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/testregistry"
	"github.com/lucid-project/base-images/lucidbase/engine"
	"github.com/lucid-project/base-images/lucidbase/lock"
	"github.com/lucid-project/base-images/variants"
)

// closed is an address where nobody listens: the port is never given out.
const closed = "127.0.0.1:1"

// refuse runs a command that must fail: it says why in one line, and perhaps
// what to do in another, and nothing on stdout.
func (s shared) refuse(t *testing.T, c command, says ...string) {
	t.Helper()
	c.args = append(c.args, "--progress", "quiet")
	res := s.run(t, c)
	require.Equal(t, 1, res.code, res.stderr)
	require.Empty(t, res.stdout)
	lines := strings.Split(strings.TrimSuffix(res.stderr, "\n"), "\n")
	require.LessOrEqual(t, len(lines), 2, res.stderr)
	for _, line := range lines {
		require.True(t, strings.HasPrefix(line, "lucidbase: "), res.stderr)
		require.Less(t, len(line), 800, res.stderr)
	}
	for _, text := range says {
		require.Contains(t, res.stderr, text)
	}
	for _, noise := range []string{"failed to", "rpc error", "goroutine", "stage.py"} {
		require.NotContains(t, res.stderr, noise)
	}
}

// mountTmpfs mounts an empty file system for the test.
func mountTmpfs(t *testing.T, options string) string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, syscall.Mount("tmpfs", dir, "tmpfs", 0, options))
	t.Cleanup(func() { require.NoError(t, syscall.Unmount(dir, syscall.MNT_DETACH)) })
	return dir
}

// readOnly shows a directory where it cannot be written.
func readOnly(t *testing.T, dir string) string {
	t.Helper()
	at := t.TempDir()
	require.NoError(t, syscall.Mount(dir, at, "", syscall.MS_BIND, ""))
	t.Cleanup(func() { require.NoError(t, syscall.Unmount(at, syscall.MNT_DETACH)) })
	require.NoError(t, syscall.Mount("", at, "", syscall.MS_BIND|syscall.MS_REMOUNT|syscall.MS_RDONLY, ""))
	return at
}

// withoutApt hides the machine's own mirrors from a command.
var withoutApt = []string{"unshare", "--mount", "sh", "-c", `mount -t tmpfs none /etc/apt && exec "$0" "$@"`}

// deadProxy lets a command reach nothing but this machine.
var deadProxy = []string{"HTTP_PROXY=http://" + closed, "HTTPS_PROXY=http://" + closed, "NO_PROXY=127.0.0.1"}

func TestBadNetwork(t *testing.T) {
	s := needEngine(t)
	s.firstBuild(t)
	garbage := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, "<html>Please log in to this network</html>")
	}))
	defer garbage.Close()
	cold := func() []string { return []string{"--cache-dir", t.TempDir()} }
	// The packages are there, the wheels are asked for.
	warm := []string{"--cache-dir", s.cache(), "--no-cache", "--platform", "linux/" + runtime.GOARCH}
	for _, c := range []struct {
		name string
		command
		says []string
	}{
		{"none", command{args: cold(), under: []string{"unshare", "--net"}},
			[]string{"downloading ", "network is unreachable", "check the network"}},
		{"a proxy that is down", command{args: cold(), env: deadProxy},
			[]string{"downloading ", "proxyconnect", "connection refused", "the proxy variables"}},
		{"a mirror that is down", command{args: append(cold(), "--debian-mirror", "http://"+closed, "--debian-security-mirror", "http://"+closed), env: deadProxy, under: withoutApt},
			[]string{"downloading ", "http://" + closed, "connection refused", "--debian-mirror"}},
		{"a mirror that serves another file", command{args: append(cold(), "--debian-mirror", garbage.URL, "--debian-security-mirror", garbage.URL), env: deadProxy, under: withoutApt},
			[]string{"downloading ", garbage.URL, "sends ", "--debian-mirror"}},
		{"no index for pip", command{args: warm, env: []string{"PIP_INDEX_URL=http://" + closed}},
			[]string{"building install uv", "Connection refused", "check the network"}},
		{"no index for uv", command{args: append(warm, "python-base"), env: []string{"UV_DEFAULT_INDEX=http://" + closed}},
			[]string{"packages: error: ", "http://" + closed, "Connection refused", "UV_DEFAULT_INDEX"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dist := filepath.Join(t.TempDir(), "dist")
			c.args = append([]string{"build", "python-base", "--output", dist}, c.args...)
			s.refuse(t, c.command, c.says...)
			require.NoDirExists(t, dist)
		})
	}
}

// What cannot work is reported before anything is built.
func TestBadDirectories(t *testing.T) {
	s := needEngine(t)
	s.firstBuild(t)
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o644))
	full := func(size string) string { return mountTmpfs(t, "size="+size) }
	ro := readOnly(t, t.TempDir())
	for _, c := range []struct {
		name string
		args []string
		says []string
	}{
		{"output is a file", []string{"--output", file}, []string{"--output " + file, "is a file"}},
		{"output below a file", []string{"--output", file + "/dist"}, []string{"--output " + file + "/dist", "is a file"}},
		{"output cannot be written", []string{"--output", ro}, []string{"--output " + ro, "read-only file system", "choose a directory"}},
		{"output is full", []string{"--output", full("4m")}, []string{"writing layout ", "no space left on device", "free space"}},
		{"metadata in no directory", []string{"--metadata-file", "/nonexistent/m.json"}, []string{"--metadata-file /nonexistent/m.json", "no directory"}},
		{"metadata below a file", []string{"--metadata-file", file + "/m.json"}, []string{"is a file"}},
		{"metadata is a directory", []string{"--metadata-file", t.TempDir()}, []string{"is a directory"}},
		{"metadata cannot be written", []string{"--metadata-file", ro + "/m.json"}, []string{"read-only file system"}},
		{"cache is a file", []string{"--cache-dir", file}, []string{"cache directory", file, "not a directory", "--cache-dir"}},
		{"cache cannot be written", []string{"--cache-dir", readOnly(t, s.cache())}, []string{"cache directory", "read-only file system", "--cache-dir"}},
		{"cache is full at once", []string{"--cache-dir", full("2m")}, []string{"no space left on device", "lucidbase prune"}},
		{"cache is full later", []string{"--cache-dir", full("150m")}, []string{"no space left on device", "lucidbase prune"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dist, metadata := filepath.Join(t.TempDir(), "dist"), filepath.Join(t.TempDir(), "m.json")
			args := append([]string{"build", "base", "python-base", "--cache-dir", s.cache(), "--output", dist, "--metadata-file", metadata}, c.args...)
			s.refuse(t, command{args: args}, c.says...)
			require.NoDirExists(t, dist)
			require.NoFileExists(t, metadata)
			if c.args[0] == "--output" && c.args[1] != file {
				left, _ := filepath.Glob(filepath.Join(c.args[1], "*", "*"))
				require.Empty(t, left, "half of an image")
			}
		})
	}
}

func TestBadEngineAndTrust(t *testing.T) {
	s := needEngine(t)
	s.firstBuild(t)
	empty := filepath.Join(t.TempDir(), "empty.pem")
	require.NoError(t, os.WriteFile(empty, []byte("no PEM\n"), 0o644))
	for _, c := range []struct {
		name string
		command
		says []string
	}{
		{"no socket", command{args: []string{"--engine", "unix:///nonexistent/buildkitd.sock"}},
			[]string{"connecting to BuildKit at unix:///nonexistent/buildkitd.sock: ", "no such file", "check --engine"}},
		{"nobody listens", command{env: []string{"BUILDKIT_HOST=tcp://" + closed}},
			[]string{"connecting to BuildKit at tcp://" + closed, "connection refused", "BUILDKIT_HOST"}},
		{"no address", command{env: []string{"BUILDKIT_HOST=somewhere"}}, []string{`engine "somewhere": not embedded, docker or an address of unix://`, "BUILDKIT_HOST"}},
		{"no CA bundle", command{args: []string{"--ca-bundle", "/nonexistent.pem"}}, []string{"CA bundle", "/nonexistent.pem", "no such file"}},
		{"no certificate", command{env: []string{"SSL_CERT_FILE=" + empty}}, []string{"CA bundle: " + empty, "no certificate", "SSL_CERT_FILE"}},
		{"no runc", command{args: []string{"--no-cache"}, env: []string{"PATH=/nonexistent"}}, []string{"runc not found on PATH", "apt-get install runc"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dist := filepath.Join(t.TempDir(), "dist")
			c.args = append([]string{"build", "base", "python-base", "--cache-dir", s.cache(), "--output", dist}, c.args...)
			s.refuse(t, c.command, c.says...)
			require.NoDirExists(t, dist)
		})
	}
}

// Users who are not root need two programs of the distribution, and the sockets of
// engines; one who lacks them learns which.
func TestBadUser(t *testing.T) {
	s := needEngine(t)
	const nobody = 65534
	home, err := os.MkdirTemp("/tmp", "lucid-nobody-") // not below a directory of root's
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(home)) })
	require.NoError(t, os.Chown(home, nobody, nobody))
	program, err := os.ReadFile(filepath.Join(s.dir, "lucidbase"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(home, "lucidbase"), program, 0o755))
	s.dir = home
	socket := filepath.Join(home, "socket")
	listener, err := net.Listen("unix", socket)
	require.NoError(t, err)
	defer listener.Close()
	require.NoError(t, os.Chmod(socket, 0o600))
	for _, c := range []struct {
		args, says []string
	}{
		{nil, []string{"newuidmap not found on PATH", "apt-get install uidmap"}},
		{[]string{"--engine", "unix://" + socket}, []string{"BuildKit at unix://" + socket + ": connect: permission denied", "join its group"}},
		{[]string{"--engine", "docker"}, []string{"Docker at unix://" + socket, "permission denied", "usermod -aG docker"}},
		{[]string{"--load=docker"}, []string{"Docker at unix://" + socket, "permission denied", "a member of the group"}},
		{[]string{"--load=podman"}, []string{"Podman at unix://" + socket, "permission denied", "a member of the group"}},
		{[]string{"--load=containerd:" + socket}, []string{"containerd at " + socket + ": connect: permission denied", "a member of the group"}},
	} {
		s.refuse(t, command{
			args:  append([]string{"build", "base", "python-base", "--output", filepath.Join(home, "dist")}, c.args...),
			env:   []string{"HOME=" + home, "XDG_CACHE_HOME=", "DOCKER_HOST=unix://" + socket, "CONTAINER_HOST=unix://" + socket},
			dir:   home,
			under: []string{"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "env", "PATH=/nonexistent"},
		}, c.says...)
		require.NoDirExists(t, filepath.Join(home, "dist"))
	}
}

func TestBadRegistry(t *testing.T) {
	s := needEngine(t)
	s.firstBuild(t)
	// Nothing could be built here: the registry comes first.
	unready := command{args: []string{"--cache-dir", t.TempDir()}, env: deadProxy, under: withoutApt}
	ready := command{args: []string{"--cache-dir", s.cache()}}
	private := testregistry.New(t, testregistry.BasicAuth("user", "password"))
	forbidding := testregistry.New(t)
	forbidding.Inject(testregistry.Fault{Method: http.MethodPost, Status: http.StatusForbidden, Times: 1000})
	refusing := testregistry.New(t)
	refusing.Inject(testregistry.Fault{Method: http.MethodPut, Path: "/manifests/", Status: http.StatusBadRequest, Times: 1000})
	helped := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(helped, "config.json"), []byte(`{"credsStore":"not-installed"}`), 0o600))
	noHelper := unready
	noHelper.env = append(slices.Clone(deadProxy), "DOCKER_CONFIG="+helped)
	for name, c := range map[string]struct {
		command
		host string
		says []string
	}{
		"nobody listens": {unready, closed, []string{"pushing to " + closed, "connection refused", "check --registry"}},
		"unknown":        {unready, "registry.invalid", []string{"pushing to registry.invalid", "check --registry"}},
		"not logged in":  {unready, private.Host, []string{"pushing to " + private.Host, "401 Unauthorized", "docker login"}},
		"no helper":      {noHelper, private.Host, []string{"pushing to " + private.Host, "docker-credential-not-installed", "executable file not found", "install docker-credential-not-installed"}},
		"no manifest":    {ready, refusing.Host, []string{"pushing to " + refusing.Host, "PUT: 400 Bad Request", "the registry refuses the manifest"}},
		"forbidden":      {ready, forbidding.Host, []string{"pushing to " + forbidding.Host, "403 Forbidden", "docker login"}},
	} {
		t.Run(name, func(t *testing.T) {
			metadata := filepath.Join(t.TempDir(), "m.json")
			c.args = append([]string{"build", "base", "python-base", "--push", "--registry", c.host + "/lucid", "--metadata-file", metadata}, c.args...)
			c.env = append([]string{"DOCKER_CONFIG=" + t.TempDir()}, c.env...)
			s.refuse(t, c.command, c.says...)
			require.NoFileExists(t, metadata)
		})
	}
}

// A lock that was edited by hand does not build, and the error names what is
// wrong.
func TestBadLock(t *testing.T) {
	s := needEngine(t)
	s.firstBuild(t)
	for name, c := range map[string]struct {
		edit func(*lock.DebianPlatform)
		says []string
	}{
		"package": {
			edit: func(p *lock.DebianPlatform) { p.Rootfs.Packages[0].SHA256 = strings.Repeat("0", 64) },
			says: []string{"making rootfs linux/", "downloading base-files ", "sends another file", strings.Repeat("0", 64)},
		},
		"layer": {
			edit: func(p *lock.DebianPlatform) { p.Rootfs.Digest = "sha256:" + strings.Repeat("0", 64) },
			says: []string{"making rootfs linux/", "its packages make sha256:", "the lock says sha256:" + strings.Repeat("0", 64)},
		},
	} {
		t.Run(name, func(t *testing.T) {
			cache, dist := t.TempDir(), filepath.Join(t.TempDir(), "dist")
			require.NoError(t, os.CopyFS(filepath.Join(cache, "downloads"), os.DirFS(filepath.Join(s.cache(), "downloads"))))
			eng, err := engine.Open(t.Context(), "", engine.WithCacheDir(cache))
			require.NoError(t, err)
			defer func() { require.NoError(t, eng.Close()) }()
			_, err = eng.Build(t.Context(), engine.Job{
				Spec: variants.Python{Locks: editedLocks(t, c.edit)},
				To:   engine.Layout(dist, "lucid/python-base"),
			})
			require.Error(t, err)
			for _, text := range c.says {
				require.ErrorContains(t, err, text)
			}
			require.NotContains(t, err.Error(), "\n")
			require.NoDirExists(t, dist)
		})
	}
}

// editedLocks is the library's own set with every platform edited.
func editedLocks(t *testing.T, edit func(*lock.DebianPlatform)) *lock.Set {
	t.Helper()
	own, err := lock.Default()
	require.NoError(t, err)
	set := *own
	set.Debian, err = lock.ParseDebian(lock.DebianFile, own.Debian.Format())
	require.NoError(t, err)
	for name, p := range set.Debian.Platforms {
		edit(&p)
		set.Debian.Platforms[name] = p
	}
	return &set
}
