//go:build linux

package e2e

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/fstest"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/alpinetest"
	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/engine"
	"github.com/lucid-project/base-images/lucidbase/lock"
	"github.com/lucid-project/base-images/variants"
)

// greeter is the source of a service: it imports a module of its own that is in
// another directory, and one on the PYTHONPATH of its user.
func greeter(greeting string) fstest.MapFS {
	return fstest.MapFS{
		"__init__.py": {},
		"main.py": {Data: []byte("import os\nfrom http.server import BaseHTTPRequestHandler, HTTPServer\n\nimport own\nfrom common import text\n\n\n" +
			"class Handler(BaseHTTPRequestHandler):\n    def do_GET(self):\n        self.send_response(200)\n        self.end_headers()\n" +
			"        self.wfile.write(f'{text.GREETING} {own.NAME} {__file__} {text.__cached__}\\n'.encode())\n\n\n" +
			"HTTPServer(('127.0.0.1', int(os.environ['PORT'])), Handler).serve_forever()\n")},
		"common/text.py": {Data: []byte("GREETING = '" + greeting + "'\n")},
		"lib/own.py":     {Data: []byte("NAME = 'own'\n")},
	}
}

func greeterService(base variants.Base, from variants.From, command ...string) variants.Service {
	return variants.Service{
		Name: "greeter",
		Base: base,
		Source: []variants.Source{
			{From: from, To: "/app/src", Exclude: []string{"common", "lib"}},
			{From: from, To: "/app", Include: []string{"common", "lib"}},
		},
		Command:  command,
		Env:      map[string]string{"PYTHONPATH": "/app/lib"},
		Port:     8000,
		Health:   variants.Health{Path: "/"},
		Writable: []string{"/app/data", "/var/log/greeter"},
	}
}

// A service runs on both CPUs and both systems, started as a module and as a script,
// on the port that it is given at run time.
func TestService(t *testing.T) {
	t.Parallel()
	needEngine(t)
	im, mirrors := alpinetest.Image(t)
	own, err := lock.Default()
	require.NoError(t, err)
	locks := *own
	locks.Alpine = im
	eng := wheelEngine(t, mirrors)
	dist := t.TempDir()
	from := variants.FS(greeter("hello"))
	alpine := greeterService(variants.Alpine{Locks: &locks}, from, "python", "/app/src/main.py")
	alpine.Lock.Base.Name = "alpine-base" // a complete lock, of nothing
	_, err = eng.BuildAll(t.Context(), []engine.Job{
		{Spec: greeterService(variants.Bare{}, from, "python", "-m", "src.main"), To: engine.Layout(filepath.Join(dist, "module"), "lucid/greeter")},
		{Spec: alpine, To: engine.Layout(filepath.Join(dist, "script"), "lucid/greeter")},
	})
	require.NoError(t, err)
	sources := map[v1.Hash]bool{}
	for _, how := range []string{"module", "script"} {
		for _, p := range lucidbase.AllPlatforms() {
			t.Run(how+" "+p.Architecture, func(t *testing.T) {
				layers := layersOf(t, filepath.Join(dist, how), p.Architecture)
				sources[layers[len(layers)-1]] = true
				require.Equal(t, "hello own /app/src/main.py /app/common/__pycache__/text.cpython-311.pyc\n", askService(t, filepath.Join(dist, how), p.Architecture))
			})
		}
	}
	require.Len(t, sources, 1, "the source is one layer for all")
}

// askService runs a service's image and returns what it answers.
func askService(t *testing.T, layout, arch string) string {
	t.Helper()
	img := platformImage(t, onlyIndex(t, layout), "linux", arch)
	c := newContainer(t, img)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	port := listener.Addr().(*net.TCPAddr).Port
	require.NoError(t, listener.Close())
	c.env = []string{fmt.Sprint("PORT=", port)}
	args := []string{"python", probeDir + "/probe_service.py"}
	writable := slices.Collect(maps.Keys(c.config.Volumes))
	if _, err := os.Stat(filepath.Join(unpack(t, img).dir, "app/data")); err == nil {
		writable = append(writable, "/app/data")
	}
	for _, words := range [][]string{c.config.Cmd, healthOf(t, img), writable} {
		data, err := json.Marshal(append([]string{}, words...))
		require.NoError(t, err)
		args = append(args, string(data))
	}
	res := c.run(t, args...)
	require.Zero(t, res.code, res.stdout+res.stderr)
	t.Log(res.stderr)
	return res.stdout
}

// healthOf is the command of an image's health check.
func healthOf(t *testing.T, img v1.Image) []string {
	t.Helper()
	raw, err := img.RawConfigFile()
	require.NoError(t, err)
	var config dockerspec.DockerOCIImage
	require.NoError(t, json.Unmarshal(raw, &config))
	require.NotNil(t, config.Config.Healthcheck)
	require.Equal(t, "CMD", config.Config.Healthcheck.Test[0])
	return config.Config.Healthcheck.Test[1:]
}

// A changed line is a new source layer, and nothing else; where the source is, and what
// a machine leaves beside it, changes nothing.
func TestServiceSource(t *testing.T) {
	t.Parallel()
	needEngine(t)
	eng := wheelEngine(t, nil)
	dist := t.TempDir()
	build := func(name string, from variants.From) (digest string, layers map[string][]v1.Hash) {
		dir := filepath.Join(dist, name)
		res, err := eng.Build(t.Context(), engine.Job{
			Spec: greeterService(variants.Bare{}, from, "python", "-m", "src.main"), To: engine.Layout(dir, "lucid/greeter"),
		})
		require.NoError(t, err)
		layers = map[string][]v1.Hash{}
		for _, p := range lucidbase.AllPlatforms() {
			layers[p.Architecture] = layersOf(t, dir, p.Architecture)
		}
		return res.Digest, layers
	}
	want, before := build("embedded", variants.FS(greeter("hello")))

	dir := t.TempDir()
	for name, file := range greeter("hello") {
		at := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(at), 0o700))
		require.NoError(t, os.WriteFile(at, file.Data, 0o600))
	}
	for name, text := range map[string]string{
		".git/config": "secret", "__pycache__/main.cpython-311.pyc": "stale", "lib/own.pyc": "stale", ".dockerignore": "secrets\n", "secrets/key.pem": "secret",
	} {
		at := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(at), 0o755))
		require.NoError(t, os.WriteFile(at, []byte(text), 0o644))
	}
	got, _ := build("directory", variants.Dir(dir))
	require.Equal(t, want, got)

	changed, after := build("changed", variants.FS(greeter("good day")))
	require.NotEqual(t, want, changed)
	for _, p := range lucidbase.AllPlatforms() {
		last := len(before[p.Architecture]) - 1
		require.Equal(t, before[p.Architecture][:last], after[p.Architecture][:last])
		require.NotEqual(t, before[p.Architecture][last], after[p.Architecture][last])
	}
	require.Equal(t, layoutBlobs(t, filepath.Join(dist, "embedded")), layoutBlobs(t, filepath.Join(dist, "directory")))
	added := 0
	for blob := range layoutBlobs(t, filepath.Join(dist, "changed")) {
		if !layoutBlobs(t, filepath.Join(dist, "embedded"))[blob] {
			added++
		}
	}
	require.Equal(t, 6, added, "a layer for both, and of each platform config and manifest, and the index")

	s := greeterService(variants.Bare{}, variants.FS(greeter("hello")), "python")
	s.Source[1].Include = nil
	s.Source[1].To = "/app/src"
	_, err := eng.Build(t.Context(), engine.Job{Spec: s, To: engine.Layout(filepath.Join(dist, "twice"), "lucid/greeter")})
	require.ErrorContains(t, err, "error: /app/src/__init__.py is in greeter-source-1 and in greeter-source-2")
}

// layoutBlobs lists a layout's blobs.
func layoutBlobs(t *testing.T, dir string) map[string]bool {
	t.Helper()
	all := map[string]bool{}
	entries, err := fs.ReadDir(os.DirFS(dir), "blobs/sha256")
	require.NoError(t, err)
	for _, e := range entries {
		all[e.Name()] = true
	}
	return all
}
