package lucidtest_test

import (
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
			"orders": hello,
			"users":  hello, // on the same port
			"spec":   {Spec: variants.Bare{}, Options: hello.Options},
		}))
	require.Equal(t, "orders\nusers\nspec\n", get(t, c.Client(), "http://bare-base:8000/orders/users/spec"))
	require.Equal(t, "orders\n", get(t, c.Client(), "http://orders:8000/hostname"))
	require.Equal(t, "users\n", get(t, c.Peer("users").Client(), "http://localhost:8000/hostname"))
	require.Contains(t, c.Peer("users").Logs(), "GET /hostname")
	require.Equal(t, 143, c.Peer("orders").Stop())
	_, err := c.Dial("tcp", "orders:8000")
	require.ErrorContains(t, err, "connection refused")
	require.Equal(t, "", c.Exec("python", "-c", "import os; os.listdir('/')").Stdout)
}

func TestWrongPeers(t *testing.T) {
	img := pythonImage(t)
	for name, c := range map[string]struct {
		peers map[string]lucidtest.Peer
		want  string
	}{
		"nothing": {map[string]lucidtest.Peer{"redis": {}}, `peer "redis": either Spec or Image is needed`},
		"both":    {map[string]lucidtest.Peer{"redis": {Spec: variants.Bare{}, Image: img}}, `peer "redis": either Spec or Image is needed`},
		"name":    {map[string]lucidtest.Peer{"Re dis": {Image: img}}, `"Re dis" is no host name`},
		"itself":  {map[string]lucidtest.Peer{"bare-base": {Image: img}}, `peer "bare-base" has the name of the service itself`},
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
