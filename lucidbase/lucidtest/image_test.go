package lucidtest_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase/lucidtest"
	"github.com/lucid-project/base-images/variants"
)

func TestImage(t *testing.T) {
	requireRunc(t)
	img := lucidtest.Image(t, variants.Python{})
	img.HasDistribution("Prometheus.Client", "")
	img.Env("LANG", "C.UTF-8")
	img.User("65532:65532")
	img.NoFile("/bin/sh")
	img.SizeUnder(200_000_000)
}

func TestImageAssertionsFail(t *testing.T) {
	requireRunc(t)
	for want, assert := range map[string]func(*lucidtest.Built){
		"the image has no distribution nothing":           func(b *lucidtest.Built) { b.HasDistribution("nothing", "") },
		`the image's variable LANG is "C.UTF-8", not "C"`: func(b *lucidtest.Built) { b.Env("LANG", "C") },
		"the image has no variable NOTHING":               func(b *lucidtest.Built) { b.Env("NOTHING", "") },
		`the image's user is "65532:65532", not "root"`:   func(b *lucidtest.Built) { b.User("root") },
		"the image has /usr/bin/python3.11":               func(b *lucidtest.Built) { b.NoFile("/usr/bin/python3.11") },
		"layers, not under 1":                             func(b *lucidtest.Built) { b.SizeUnder(1) },
	} {
		text := failure(t, func(tb testing.TB) { assert(lucidtest.Image(tb, variants.Bare{})) })
		require.Contains(t, text, want)
	}
}

func TestBuildFailureEndsTheTest(t *testing.T) {
	requireRunc(t)
	text := failure(t, func(tb testing.TB) { lucidtest.Run(tb, variants.Service{}) })
	require.Contains(t, text, "building the image: ")
	require.Contains(t, text, "Name: ")
}

func TestGolden(t *testing.T) {
	file := filepath.Join(t.TempDir(), "testdata", "bare.golden")
	require.Contains(t, failure(t, func(tb testing.TB) { lucidtest.Golden(tb, variants.Bare{}, file) }), "LUCID_UPDATE=1 go test writes it")
	t.Setenv("LUCID_UPDATE", "1")
	lucidtest.Golden(t, variants.Bare{}, file)
	t.Setenv("LUCID_UPDATE", "")
	lucidtest.Golden(t, variants.Bare{}, file)
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Contains(t, string(text), "# linux/amd64\n")
	require.Contains(t, string(text), "# linux/arm64\n")

	require.NoError(t, os.WriteFile(file, []byte(strings.Replace(string(text), `"User": "65532:65532"`, `"User": "0"`, 1)), 0o644))
	got := failure(t, func(tb testing.TB) { lucidtest.Golden(tb, variants.Bare{}, file) })
	require.Contains(t, got, `"User": "65532:65532"`)
	require.Contains(t, got, "and was\n\t    \"User\": \"0\"")
}

// gateway is a service that keeps what it is reported.
func gateway() variants.Service {
	const program = `
import http.server, os, pathlib
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        pathlib.Path("/app/data/last").write_text(self.path)
        pathlib.Path("/var/log/gateway/log").write_text(self.path)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(os.environ["LOG_LEVEL"].encode())
http.server.HTTPServer(("", int(os.environ["PORT"])), Handler).serve_forever()
`
	return variants.Service{
		Name:     "gateway",
		Base:     variants.Bare{},
		Source:   []variants.Source{{From: variants.FS(fstest.MapFS{"main.py": {Data: []byte(program)}}), To: "/app/src"}},
		Command:  []string{"python", "-m", "src.main"},
		Port:     8000,
		Health:   variants.Health{Path: "/"},
		Writable: []string{"/app/data", "/var/log/gateway"},
	}
}

func TestService(t *testing.T) {
	requireRunc(t)
	c := lucidtest.Run(t, gateway(), lucidtest.Env("LOG_LEVEL", "debug"), lucidtest.WaitHTTP("/health"), lucidtest.WaitHealthy())
	require.Equal(t, "debug", get(t, c.Client(), "http://gateway:8000/orders/1"))
	for _, file := range []string{"/app/data/last", "/var/log/gateway/log"} {
		text, err := c.ReadFile(file)
		require.NoError(t, err)
		require.Equal(t, "/orders/1", string(text))
	}

	c = lucidtest.Run(t, gateway(), lucidtest.Env("LOG_LEVEL", ""), lucidtest.Env("PORT", "9000"), lucidtest.WaitHTTP("/"), lucidtest.WaitHealthy())
	require.Empty(t, get(t, c.Client(), "http://gateway:9000/"))
}
