package lucidtest_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase/lucidtest"
	"github.com/lucid-project/base-images/variants"
)

// The tests run the real engine, runc and images. Most share one image.

func requireRunc(t *testing.T) {
	t.Helper()
	if os.Getenv("LUCID_REQUIRE_ENGINE") != "1" && (testing.Short() || os.Geteuid() != 0) {
		t.Skip("images are run as root, and not in short tests")
	}
}

var shared struct {
	sync.Once
	image v1.Image
}

// pythonImage is bare-base for this machine, built once.
func pythonImage(t *testing.T) v1.Image {
	t.Helper()
	requireRunc(t)
	shared.Do(func() { shared.image = lucidtest.Image(t, variants.Bare{}).Image })
	require.NotNil(t, shared.image, "it was not built")
	return shared.image
}

// configured is the shared image with another configuration.
func configured(t *testing.T, change func(*v1.Config)) v1.Image {
	t.Helper()
	img := pythonImage(t)
	file, err := img.ConfigFile()
	require.NoError(t, err)
	config := *file.Config.DeepCopy()
	change(&config)
	img, err = mutate.Config(img, config)
	require.NoError(t, err)
	return img
}

func server(port string) lucidtest.Option {
	return lucidtest.Args("python", "-m", "http.server", "--directory", "/etc", port)
}

func get(t *testing.T, client *http.Client, url string) string {
	t.Helper()
	res, err := client.Get(url)
	require.NoError(t, err)
	defer res.Body.Close()
	require.Equal(t, http.StatusOK, res.StatusCode)
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return string(body)
}

func TestRunAnswers(t *testing.T) {
	c := lucidtest.RunImage(t, pythonImage(t), server("8000"), lucidtest.Env("PORT", "8000"), lucidtest.WaitHTTP("/hostname"))
	for _, host := range []string{"bare-base", "localhost", "127.0.0.1"} {
		require.Equal(t, "bare-base\n", get(t, c.Client(), "http://"+host+":8000/hostname"))
	}
	require.Equal(t, "bare-base\n", get(t, http.DefaultClient, c.URL()+"/hostname"))
	require.Equal(t, c.URL(), c.URL())

	conn, err := c.Dial("tcp", "bare-base:8000")
	require.NoError(t, err)
	require.NoError(t, conn.Close())
	_, err = c.Dial("tcp", "bare-base:9")
	require.ErrorContains(t, err, "connection refused")
	_, err = c.Dial("tcp", "elsewhere:8000")
	require.ErrorContains(t, err, "no such host")

	require.Contains(t, c.Logs(), `"GET /hostname HTTP/1.1" 200`)
	hosts, err := c.ReadFile("/etc/hosts")
	require.NoError(t, err)
	require.Contains(t, string(hosts), "\tbare-base\n")
	_, err = c.ReadFile("/nothing")
	require.EqualError(t, err, "open /nothing: no such file or directory")

	out := c.Exec("python", "-c", "import os, sys; print(os.environ['PORT']); print('no', file=sys.stderr); sys.exit(3)")
	require.Equal(t, lucidtest.Output{Stdout: "8000\n", Stderr: "no\n", Code: 3}, out)
	require.Equal(t, 143, c.Stop(), "128 and SIGTERM")
	require.Equal(t, 143, c.Stop(), "it has ended")
}

// asProduction prints what a process may do.
const asProduction = `
import os, socket
status = dict(line.split(":\t", 1) for line in open("/proc/self/status") if ":\t" in line)
for name in ("Uid", "Gid", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp", "Umask"):
    print(name, *status[name].split())
def attempt(what, f):
    try:
        f()
        print(what, "ok")
    except OSError as e:
        print(what, e.strerror)
attempt("/app", lambda: open("/app/x", "w"))
attempt("/etc", lambda: open("/etc/hosts", "w"))
attempt("/tmp", lambda: open("/tmp/x", "w"))
attempt("data", lambda: open("/app/data/x", "w"))
attempt("chown", lambda: os.chown("/tmp/x", 0, 0))
attempt("port 80", lambda: socket.create_server(("", 80)))
print("interfaces", *[name for _, name in socket.if_nameindex() if name not in ("sit0", "tunl0", "ip6tnl0", "gre0", "gretap0", "erspan0")])
print("routes", len(open("/proc/net/route").readlines()) - 1)
print("processes", sum(p.isdigit() for p in os.listdir("/proc")))
print(os.environ["LEVEL"], os.environ["HOSTNAME"], os.getcwd())
`

func TestRunsAsInProduction(t *testing.T) {
	img := configured(t, func(c *v1.Config) { c.Volumes = map[string]struct{}{"/app/data": {}} })
	c := lucidtest.RunImage(t, img, lucidtest.Args("python", "-c", asProduction), lucidtest.Env("LEVEL", "0"), lucidtest.Env("LEVEL", "1"))
	require.Equal(t, 0, c.Wait(), c.Logs())
	const none = "0000000000000000"
	require.Equal(t, strings.Join([]string{
		"Uid 65532 65532 65532 65532", "Gid 65532 65532 65532 65532",
		"CapPrm " + none, "CapEff " + none, "CapBnd " + none, "CapAmb " + none,
		"NoNewPrivs 1", "Seccomp 2", "Umask 0022",
		"/app Read-only file system", "/etc Read-only file system", "/tmp ok",
		"data Permission denied", // /app/data is not in the image: Docker makes it root's
		"chown Operation not permitted", "port 80 ok",
		"interfaces lo", "routes 0", "processes 2", "1 bare-base /app", "",
	}, "\n"), c.Logs())
	left, err := c.ReadFile("/tmp/x")
	require.NoError(t, err, "files are there after the end")
	require.Empty(t, left)
}

func TestVolumesAreTheUsers(t *testing.T) {
	img := configured(t, func(c *v1.Config) { c.Volumes = map[string]struct{}{"/home/nonroot": {}} })
	c := lucidtest.RunImage(t, img, lucidtest.Args("python", "-c", "open('/home/nonroot/x', 'w').write('kept')"))
	require.Equal(t, 0, c.Wait(), c.Logs())
	text, err := c.ReadFile("/home/nonroot/x")
	require.NoError(t, err)
	require.Equal(t, "kept", string(text))
}

func TestMount(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.Chmod(dir, 0o755))
	require.NoError(t, os.WriteFile(dir+"/main.py", []byte("print('from outside')\nopen('/app/src/x', 'w')"), 0o644))
	c := lucidtest.RunImage(t, pythonImage(t), lucidtest.Mount(dir, "/app/src"), lucidtest.Args("python", "src/main.py"))
	require.Equal(t, 1, c.Wait())
	require.Contains(t, c.Logs(), "from outside\n")
	require.Contains(t, c.Logs(), "Read-only file system")
}

func TestHealthCheck(t *testing.T) {
	img := configured(t, func(c *v1.Config) {
		c.Healthcheck = &v1.HealthConfig{Test: []string{"CMD", "python", "-c", "import socket; socket.create_connection(('127.0.0.1', 8000))"}}
	})
	c := lucidtest.RunImage(t, img, server("8000"), lucidtest.WaitHealthy(), lucidtest.WaitPort(8000), lucidtest.WaitLog("Serving HTTP"))
	require.NotEmpty(t, get(t, c.Client(), "http://localhost:8000/"))
}

func TestHostNetwork(t *testing.T) {
	echo := http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "outside") })}
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go func() { _ = echo.Serve(lis) }()
	defer echo.Close()
	program := "import urllib.request as r; print(r.urlopen('http://" + lis.Addr().String() + "').read().decode())"
	c := lucidtest.RunImage(t, pythonImage(t), lucidtest.Network(), lucidtest.Args("python", "-c", program))
	require.Equal(t, 0, c.Wait(), c.Logs())
	require.Equal(t, "outside\n", c.Logs())

	c = lucidtest.RunImage(t, pythonImage(t), lucidtest.Args("python", "-c", program))
	require.Equal(t, 1, c.Wait())
	require.Contains(t, c.Logs(), "Connection refused", "the loopback interface is another one")
}

// recorder is a test whose end can be looked at.
type recorder struct {
	testing.TB
	text string
}

func (r *recorder) Fatal(args ...any) { r.Fatalf("%s", fmt.Sprint(args...)) }
func (r *recorder) Fatalf(format string, args ...any) {
	r.text = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

// failure is what ends a test in f.
func failure(t *testing.T, f func(testing.TB)) string {
	t.Helper()
	r := &recorder{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		f(r)
	}()
	<-done
	return r.text
}

func TestFailures(t *testing.T) {
	img := pythonImage(t)
	short := lucidtest.Timeout(2 * time.Second)
	for name, c := range map[string]struct {
		options []lucidtest.Option
		want    []string
	}{
		"ends at once": {
			[]lucidtest.Option{lucidtest.Args("python", "-c", "import nothing"), lucidtest.WaitHTTP(":8000/")},
			[]string{"bare-base ended before answer to GET :8000/", "exit code 1", "No module named 'nothing'"},
		},
		"never answers": {
			[]lucidtest.Option{lucidtest.Args("python", "-c", "print('here', flush=True); import time; time.sleep(60)"), lucidtest.WaitHTTP(":8000/"), short},
			[]string{"no answer to GET :8000/ within 2s", "connection refused", "it listens on no port", "here"},
		},
		"answers no": {
			[]lucidtest.Option{server("8000"), lucidtest.WaitHTTP(":8000/nothing"), short},
			[]string{"no answer to GET :8000/nothing within 2s", "404"},
		},
		"listens on the loopback interface": {
			[]lucidtest.Option{lucidtest.Args("python", "-m", "http.server", "--bind", "127.0.0.1"), lucidtest.WaitPort(8000), short},
			[]string{"it listens on 127.0.0.1:8000, which nobody outside reaches: 0.0.0.0 is needed"},
		},
		"bad command": {
			[]lucidtest.Option{lucidtest.Args("nothing"), lucidtest.WaitHTTP(":8000/")},
			[]string{"exit code 127", "nothing"}, // tini says it
		},
		"no port": {
			[]lucidtest.Option{server("8000"), lucidtest.WaitHTTP("/")},
			[]string{`WaitHTTP("/")`, "the image exposes none"},
		},
		"no health check": {
			[]lucidtest.Option{server("8000"), lucidtest.WaitHealthy()},
			[]string{"the image has no health check"},
		},
		"no such mount": {
			[]lucidtest.Option{lucidtest.Mount("testdata/nothing", "/app/x")},
			[]string{"starting bare-base: a mount", "testdata/nothing"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			text := failure(t, func(tb testing.TB) { lucidtest.RunImage(tb, img, c.options...) })
			for _, want := range c.want {
				require.Contains(t, text, want)
			}
		})
	}
}

func TestWrongCommandWithoutInit(t *testing.T) {
	img := configured(t, func(c *v1.Config) { c.Entrypoint = nil })
	text := failure(t, func(tb testing.TB) { lucidtest.RunImage(tb, img, lucidtest.Args("nothing")) })
	require.Contains(t, text, `starting bare-base: `)
	require.Contains(t, text, `exec: "nothing": executable file not found in $PATH`)
}
