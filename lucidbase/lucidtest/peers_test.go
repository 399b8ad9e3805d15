package lucidtest_test

import (
	"bufio"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/lucidtest"
	"github.com/lucid-project/base-images/variants"
)

// relay answers with what other hosts answer to the path's words.
const relay = `
import http.server, urllib.request
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        for host in self.path.strip("/").split("/"):
            self.wfile.write(urllib.request.urlopen(f"http://{host}:8000/hostname").read())
http.server.ThreadingHTTPServer(("", 8000), Handler).serve_forever()
`

func TestPeers(t *testing.T) {
	img := pythonImage(t)
	hello := lucidtest.Peer{Image: img, Options: []lucidtest.Option{server("8000"), lucidtest.WaitHTTP(":8000/hostname")}}
	c := lucidtest.RunImage(t, img, lucidtest.Args("python", "-c", relay), lucidtest.WaitPort(8000),
		lucidtest.Peers(t, map[string]lucidtest.Peer{
			"tasks": hello, // a file of control groups has this name
			"users": hello, // on the same port
			"spec":  {Spec: variants.Bare{}, Options: hello.Options},
		}))
	require.Equal(t, "tasks\nusers\nspec\n", get(t, c.Client(), "http://bare-base:8000/tasks/users/spec"))
	require.Equal(t, "tasks\n", get(t, c.Client(), "http://tasks:8000/hostname"))
	require.Equal(t, "users\n", get(t, c.Peer("users").Client(), "http://localhost:8000/hostname"))
	require.Contains(t, c.Peer("users").Logs(), "GET /hostname")
	require.Equal(t, 143, c.Peer("tasks").Stop())
	_, err := c.Dial("tcp", "tasks:8000")
	require.ErrorContains(t, err, "connection refused")
	require.Equal(t, "", c.Exec("python", "-c", "import os; os.listdir('/')").Stdout)
}

func TestWrongPeers(t *testing.T) {
	img := pythonImage(t)
	for name, c := range map[string]struct {
		peers map[string]lucidtest.Peer
		want  string
	}{
		"nothing":    {map[string]lucidtest.Peer{"redis": {}}, `peer "redis": one of Spec, Image and Packages is needed`},
		"both":       {map[string]lucidtest.Peer{"redis": {Spec: variants.Bare{}, Image: img}}, `peer "redis": one of Spec, Image and Packages is needed`},
		"name":       {map[string]lucidtest.Peer{"Re dis": {Image: img}}, `"Re dis" is no host name`},
		"itself":     {map[string]lucidtest.Peer{"bare-base": {Image: img}}, `peer "bare-base" has the name of the service itself`},
		"no command": {map[string]lucidtest.Peer{"redis": {Packages: []string{"redis-server"}}}, `peer "redis": Packages have no command: the option Args is needed`},
		"no such package": {
			map[string]lucidtest.Peer{"redis": {Packages: []string{"redis-srver", "redis-client"}, Options: []lucidtest.Option{lucidtest.Args("redis-server")}}},
			`peer "redis": resolving Debian packages: package redis-srver: in none of the suites`,
		},
		"ends": {
			map[string]lucidtest.Peer{"redis": {Image: img, Options: []lucidtest.Option{lucidtest.Args("python", "-c", "1/0"), lucidtest.WaitPort(1)}}},
			"redis ended before listener on port 1; exit code 1",
		},
	} {
		t.Run(name, func(t *testing.T) {
			text := failure(t, func(tb testing.TB) { lucidtest.RunImage(tb, img, server("8000"), lucidtest.Peers(tb, c.peers)) })
			require.Contains(t, text, c.want)
		})
	}
}

func TestManyAtOnce(t *testing.T) {
	img := pythonImage(t)
	for range 10 {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			c := lucidtest.RunImage(t, img, server("8000"), lucidtest.WaitHTTP(":8000/hostname"))
			require.Equal(t, "bare-base\n", get(t, c.Client(), "http://localhost:8000/hostname"))
		})
	}
}

// BenchmarkFirstAnswer is the time from a built image to the first answer.
func BenchmarkFirstAnswer(b *testing.B) {
	img := lucidtest.Image(b, variants.Bare{})
	for b.Loop() {
		lucidtest.RunImage(b, img, server("8000"), lucidtest.WaitHTTP(":8000/hostname")).Stop()
	}
}

// The CPU that this machine does not have.
func TestOtherCPU(t *testing.T) {
	requireRunc(t)
	other := lucidbase.LinuxARM64
	if machine := lucidtest.Image(t, variants.Bare{}); isARM64(t, machine) {
		other = lucidbase.LinuxAMD64
	}
	c := lucidtest.Run(t, variants.Bare{}, lucidtest.Platform(other), server("8000"), lucidtest.WaitHTTP(":8000/hostname"))
	require.Equal(t, "bare-base\n", get(t, c.Client(), "http://localhost:8000/hostname"))
	machine := map[string]string{"arm64": "aarch64\n", "amd64": "x86_64\n"}[other.Architecture]
	require.Equal(t, machine, c.Exec("python", "-c", "import platform; print(platform.machine())").Stdout)
}

func isARM64(t *testing.T, img v1.Image) bool {
	t.Helper()
	config, err := img.ConfigFile()
	require.NoError(t, err)
	return config.Architecture == "arm64"
}

// ask sends a line to a server and returns the first that it answers.
func ask(t *testing.T, c *lucidtest.Container, address, line string) string {
	t.Helper()
	conn, err := c.Dial("tcp", address)
	require.NoError(t, err)
	defer conn.Close()
	_, err = io.WriteString(conn, line+"\r\n")
	require.NoError(t, err)
	answer, err := bufio.NewReader(conn).ReadString('\n')
	require.NoError(t, err)
	return strings.TrimSpace(answer)
}

// redis is a real one, of Debian's packages.
func redis() lucidtest.Peer {
	return lucidtest.Peer{
		Packages: []string{"redis-server"},
		Options:  []lucidtest.Option{lucidtest.Args("redis-server", "--protected-mode", "no"), lucidtest.WaitPort(6379)},
	}
}

func TestPackagesPeer(t *testing.T) {
	c := lucidtest.RunImage(t, pythonImage(t), server("8000"), lucidtest.WaitPort(8000),
		lucidtest.Peers(t, map[string]lucidtest.Peer{"redis": redis(), "cache": redis()}))
	require.Equal(t, "+PONG", ask(t, c, "redis:6379", "PING"))
	require.Equal(t, "+OK", ask(t, c, "redis:6379", "SET a 1"))
	require.Equal(t, "$-1", ask(t, c, "cache:6379", "GET a"), "another server")
	require.Equal(t, "+OK", ask(t, c, "redis:6379", "SAVE"), "/data can be written")
	require.Equal(t, "1\n", c.Peer("redis").Exec("sh", "-c", "redis-cli GET a").Stdout)
	require.Equal(t, 0, c.Peer("redis").Stop())
}

// Servers that prepare their data first, by their own shell scripts and programs.
func TestLongPackagesPeers(t *testing.T) {
	img := pythonImage(t)
	const initdb = `PATH=$PATH:/usr/lib/postgresql/15/bin && initdb -D db -U app -A trust && exec postgres -D db -c listen_addresses='*'`
	conf := filepath.Join(t.TempDir(), "mosquitto.conf")
	require.NoError(t, os.WriteFile(conf, []byte("listener 1883\nallow_anonymous true\n"), 0o644))
	require.NoError(t, os.Chmod(filepath.Dir(conf), 0o755))
	c := lucidtest.RunImage(t, img, server("8000"), lucidtest.WaitPort(8000),
		lucidtest.Peers(t, map[string]lucidtest.Peer{
			"postgres": {Packages: []string{"postgresql"}, Options: []lucidtest.Option{lucidtest.Args("sh", "-c", initdb), lucidtest.WaitPort(5432)}},
			"mqtt":     {Packages: []string{"mosquitto"}, Options: []lucidtest.Option{lucidtest.Mount(conf, "/data/m.conf"), lucidtest.Args("mosquitto", "-c", "m.conf"), lucidtest.WaitPort(1883)}},
		}))
	out := c.Peer("postgres").Exec("/usr/lib/postgresql/15/bin/psql", "-U", "app", "-tc", "select 40 + 2", "postgres")
	require.Equal(t, "42", strings.TrimSpace(out.Stdout), out.Stderr)
	_, err := c.Dial("tcp", "mqtt:1883")
	require.NoError(t, err)
}
