package lucidtest_test

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/dockertest"
	"github.com/lucid-project/base-images/lucidbase/lucidtest"
)

// inDocker has a test run images in a Docker of its own, and returns that.
func inDocker(t *testing.T, docker dockertest.Docker) *dockertest.Daemon {
	t.Helper()
	requireRunc(t)
	d := docker.Start(t)
	t.Setenv("DOCKER_HOST", d.Host)
	t.Setenv("LUCIDTEST_ENGINE", "docker")
	return d
}

// left lists what tests have in a Docker, without the first word of a name.
func left(t *testing.T, d *dockertest.Daemon) string {
	t.Helper()
	const label = "label=io.github.lucid-project.lucidtest"
	return d.Run(t, "docker", "ps", "--all", "--quiet", "--filter", label) + d.Run(t, "docker", "network", "ls", "--quiet", "--filter", label) +
		d.Run(t, "docker", "volume", "ls", "--quiet")
}

func TestDocker(t *testing.T) { asInSandbox(t, dockertest.Docker{}) }

func TestLongDocker28(t *testing.T) {
	asInSandbox(t, dockertest.Docker{Version28: true, ContainerdStore: true})
}

// asInSandbox tests that everything in a Docker is as in a sandbox.
func asInSandbox(t *testing.T, docker dockertest.Docker) {
	t.Helper()
	img := pythonImage(t) // by what builds here
	d := inDocker(t, docker)
	routes, outside := "routes 2", map[string]string{ // what is said of an address
		"'192.0.2.1'": "No route to host", // nobody is the network's gateway
		"socket.inet_ntoa(bytes.fromhex(open('/proc/net/route').read().split()[13])[::-1])": "No route to host",
	}
	if docker.Version28 {
		routes, outside = "routes 1", map[string]string{"'192.0.2.1'": "Network is unreachable"}
	}
	t.Run("answers", func(t *testing.T) {
		c := lucidtest.RunImage(t, img, server("8000"), lucidtest.Env("PORT", "8000"), lucidtest.WaitHTTP("/hostname"), lucidtest.WaitLog("Serving HTTP"))
		for _, host := range []string{"bare-base", "localhost", "127.0.0.1"} {
			require.Equal(t, "bare-base\n", get(t, c.Client(), "http://"+host+":8000/hostname"))
		}
		require.Equal(t, "bare-base\n", get(t, http.DefaultClient, c.URL()+"/hostname"))
		_, err := c.Dial("tcp", "bare-base:9")
		require.EqualError(t, err, "dial tcp bare-base:9: connection refused")
		_, err = c.Dial("tcp", "elsewhere:8000")
		require.EqualError(t, err, "dial tcp elsewhere:8000: no such host")
		hosts, err := c.ReadFile("/etc/hosts")
		require.NoError(t, err)
		require.Contains(t, string(hosts), "\tbare-base\n")
		_, err = c.ReadFile("/nothing")
		require.EqualError(t, err, "open /nothing: no such file or directory")
		require.ErrorIs(t, err, os.ErrNotExist)
		out := c.Exec("python", "-c", "import os, sys; open('/tmp/x', 'w').write('kept'); print(os.environ['PORT']); print('no', file=sys.stderr); sys.exit(3)")
		require.Equal(t, lucidtest.Output{Stdout: "8000\n", Stderr: "no\n", Code: 3}, out)
		text, err := c.ReadFile("/tmp/x")
		require.NoError(t, err)
		require.Equal(t, "kept", string(text))
		require.Equal(t, 143, c.Stop(), "128 and SIGTERM")
		require.Equal(t, 143, c.Stop(), "it has ended")
	})
	t.Run("as in production", func(t *testing.T) {
		img := configured(t, func(c *v1.Config) { c.Volumes = map[string]struct{}{"/app/data": {}, "/home/nonroot": {}} })
		c := lucidtest.RunImage(t, img, lucidtest.Args("python", "-c", asProduction+"open('/home/nonroot/x', 'w').write('kept')"), lucidtest.Env("LEVEL", "0"), lucidtest.Env("LEVEL", "1"))
		require.Equal(t, 0, c.Wait(), c.Logs())
		const none = "0000000000000000"
		require.Equal(t, strings.Join([]string{
			"Uid 65532 65532 65532 65532", "Gid 65532 65532 65532 65532",
			"CapPrm " + none, "CapEff " + none, "CapBnd " + none, "CapAmb " + none,
			"NoNewPrivs 1", "Seccomp 2", "Umask 0022",
			"/app Read-only file system", "/etc Read-only file system", "/tmp ok",
			"data Permission denied",
			"chown Operation not permitted", "port 80 ok",
			"interfaces lo eth0", routes, "processes 2", "1 bare-base /app", "",
		}, "\n"), c.Logs())
		const outward = "import socket; socket.create_connection((%s, 80), 20)"
		for to, says := range outside {
			alone := lucidtest.RunImage(t, img, lucidtest.Args("python", "-c", fmt.Sprintf(outward, to)))
			require.Equal(t, 1, alone.Wait())
			require.Contains(t, alone.Logs(), says)
		}
		text, err := c.ReadFile("/home/nonroot/x")
		require.NoError(t, err, "of a volume, after the end")
		require.Equal(t, "kept", string(text))
	})
	t.Run("peers", func(t *testing.T) {
		hello := lucidtest.Peer{Image: img, Options: []lucidtest.Option{server("8000"), lucidtest.WaitHTTP(":8000/hostname")}}
		c := lucidtest.RunImage(t, img, lucidtest.Args("python", "-c", relay), lucidtest.WaitPort(8000),
			lucidtest.Peers(t, map[string]lucidtest.Peer{"orders": hello, "users": hello}))
		require.Equal(t, "orders\nusers\n", get(t, c.Client(), "http://bare-base:8000/orders/users"))
		require.Equal(t, "users\n", get(t, c.Peer("users").Client(), "http://localhost:8000/hostname"))
	})
	t.Run("a peer that has no Python", func(t *testing.T) {
		hidden := configured(t, func(c *v1.Config) { c.Env = []string{"PATH=/nothing"} })
		without := lucidtest.Peer{Image: hidden, Options: []lucidtest.Option{
			lucidtest.Args("/opt/venv/bin/python", "-m", "http.server", "--directory", "/etc"), lucidtest.WaitPort(8000),
		}}
		c := lucidtest.RunImage(t, img, server("8000"), lucidtest.Peers(t, map[string]lucidtest.Peer{"other": without}))
		require.Equal(t, "other\n", get(t, c.Peer("other").Client(), "http://localhost:8000/hostname"))
		c = lucidtest.RunImage(t, hidden, without.Options[0])
		for range 2 {
			_, err := c.Dial("tcp", "localhost:8000")
			require.ErrorContains(t, err, "connecting from inside a container of Docker needs Python in it")
		}
	})
	t.Run("datagrams", func(t *testing.T) {
		const echo = "import socket; s = socket.socket(type=socket.SOCK_DGRAM); s.bind(('', 5000)); print('ready', flush=True)\nwhile True:\n    d, a = s.recvfrom(100); s.sendto(d.upper(), a)"
		c := lucidtest.RunImage(t, img, lucidtest.Args("python", "-c", echo), lucidtest.WaitLog("ready"))
		conn, err := c.Dial("udp", "bare-base:5000")
		require.NoError(t, err)
		defer conn.Close()
		for _, word := range []string{"one", "two"} {
			_, err := conn.Write([]byte(word))
			require.NoError(t, err)
			answer := make([]byte, 100)
			n, err := conn.Read(answer)
			require.NoError(t, err)
			require.Equal(t, strings.ToUpper(word), string(answer[:n]))
		}
	})
	t.Run("the machine's network", func(t *testing.T) {
		c := lucidtest.RunImage(t, img, lucidtest.Network(), server("8000"), lucidtest.WaitHTTP(":8000/"))
		require.Contains(t, c.Exec("python", "-c", "import socket; print(socket.if_nameindex())").Stdout, "docker0")
	})
	t.Run("failures", func(t *testing.T) {
		short := lucidtest.Timeout(10 * time.Second)
		for want, options := range map[string][]lucidtest.Option{
			"exit code 1; the log's last lines": {lucidtest.Args("python", "-c", "import nothing"), lucidtest.WaitHTTP(":8000/")},
			"it listens on 127.0.0.1:8000, which nobody outside reaches": {
				lucidtest.Args("python", "-m", "http.server", "--bind", "127.0.0.1"), lucidtest.WaitPort(8000), short,
			},
			"starting bare-base: a mount": {lucidtest.Mount("testdata/nothing", "/app/x")},
		} {
			require.Contains(t, failure(t, func(tb testing.TB) { lucidtest.RunImage(tb, img, options...) }), want)
		}
		c := lucidtest.RunImage(t, img, server("8000"))
		require.Contains(t, failure(t, func(tb testing.TB) { lucidtest.RunImage(tb, img, server("8000")).Exec("nothing") }), `exec: "nothing": executable file not found in $PATH`)
		require.Zero(t, c.Exec("python", "-c", "").Code)
	})
	require.Empty(t, left(t, d))
	t.Run("a process that was killed", func(t *testing.T) {
		cmd := childCommand(t, t.TempDir(), endEnv+"=kill", markEnv+"=docker")
		out, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		awaitReady(t, out)
		require.NoError(t, cmd.Process.Kill())
		require.Error(t, cmd.Wait())
		require.NotEmpty(t, left(t, d))
		require.Zero(t, lucidtest.RunImage(t, img, lucidtest.Args("python", "-c", "")).Wait())
	})
	require.Empty(t, left(t, d), "the next one has removed it")
	t.Run("a process that was interrupted", func(t *testing.T) {
		cmd := childCommand(t, t.TempDir(), endEnv+"=interrupt", markEnv+"=docker")
		out, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		awaitReady(t, out)
		require.NoError(t, cmd.Process.Signal(os.Interrupt))
		var exit *exec.ExitError
		require.ErrorAs(t, cmd.Wait(), &exit)
	})
	require.Empty(t, left(t, d))
}

// What is wrong with the engine is said.
func TestDockerThatIsNone(t *testing.T) {
	img := pythonImage(t)
	t.Setenv("LUCIDTEST_ENGINE", "dokcer")
	require.Equal(t, "LUCIDTEST_ENGINE=dokcer: not docker, and not empty", failure(t, func(tb testing.TB) { lucidtest.RunImage(tb, img) }))
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, lis.Close()) // nobody listens there
	t.Setenv("LUCIDTEST_ENGINE", "docker")
	t.Setenv("DOCKER_HOST", "tcp://"+lis.Addr().String())
	t.Setenv("LUCID_REQUIRE_ENGINE", "1")
	require.Contains(t, failure(t, func(tb testing.TB) { lucidtest.RunImage(tb, img) }), "cannot run here: connecting to Docker at "+os.Getenv("DOCKER_HOST"))
}

// A real server of Debian's packages, whose image has no Python.
func TestLongDockerPackages(t *testing.T) {
	img := pythonImage(t)
	inDocker(t, dockertest.Docker{})
	c := lucidtest.RunImage(t, img, server("8000"), lucidtest.WaitPort(8000), lucidtest.Peers(t, map[string]lucidtest.Peer{"redis": redis()}))
	require.Equal(t, "+PONG", ask(t, c, "redis:6379", "PING"))
	require.Equal(t, "+PONG", ask(t, c.Peer("redis"), "localhost:6379", "PING"))
	require.Equal(t, "+OK", ask(t, c, "redis:6379", "SET a 1"))
	require.Equal(t, "1\n", c.Peer("redis").Exec("sh", "-c", "redis-cli GET a").Stdout)
	require.Equal(t, 0, c.Peer("redis").Stop())
}
