package load

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/dockertest"
	"github.com/lucid-project/base-images/lucidbase/engine/internal/image"
)

// engine is an engine of this machine, and how it is told to run an image.
type engine struct {
	*dockertest.Daemon
	store string
	run   []string
	// all says that it keeps every platform.
	all bool
}

// hardened is how images are run in production.
var hardened = []string{"run", "--rm", "--read-only", "--cap-drop", "all", "--security-opt", "no-new-privileges", "--network", "none", "--user", "65532:65532"}

func ofDocker(d *dockertest.Daemon, all bool) engine {
	return engine{d, Docker, append([]string{"docker"}, hardened...), all}
}

func TestDocker(t *testing.T) { testEngine(t, ofDocker(dockertest.Docker{}.Start(t), false)) }

func TestLongDocker28(t *testing.T) {
	t.Run("classic", func(t *testing.T) { testEngine(t, ofDocker(dockertest.Docker{Version28: true}.Start(t), false)) })
	t.Run("containerd", func(t *testing.T) {
		testEngine(t, ofDocker(dockertest.Docker{Version28: true, ContainerdStore: true}.Start(t), true))
	})
}

func TestPodman(t *testing.T) {
	testEngine(t, engine{dockertest.Podman(t), Podman, append([]string{"podman", "--remote"}, hardened...), false})
}

func TestContainerd(t *testing.T) {
	d := dockertest.Containerd(t)
	testEngine(t, engine{d, Containerd, []string{"ctr", "--address", d.Socket(), "--namespace", "k8s.io", "run", "--rm", "--read-only"}, true})
}

// open connects to an engine by a counter.
func (e engine) open(t *testing.T) (Store, *counter) {
	t.Helper()
	c := newCounter(t, e.Socket())
	t.Setenv("DOCKER_HOST", "unix://"+c.path)
	t.Setenv("DOCKER_TLS_VERIFY", "")
	t.Setenv("CONTAINER_HOST", "unix://"+c.path)
	store := e.store
	if store == Containerd {
		store += c.path
	}
	s, err := Open(t.Context(), store)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s, c
}

func (e engine) runs(t *testing.T, ref string) {
	t.Helper()
	argv := append(append([]string{}, e.run...), ref)
	if e.store == Containerd {
		argv = append(argv, "test")
	}
	require.Equal(t, "hello\n", e.Run(t, argv...))
}

func testEngine(t *testing.T, e engine) {
	s, c := e.open(t)
	require.Equal(t, e.all, s.Platform() == nil)
	base, program := noise(t), layer(t, "hello", hello(t))
	first := named(t, "docker.io/lucid/first:latest", base, program)
	require.NoError(t, s.Load(t.Context(), []image.Named{first}))
	require.Greater(t, c.sent.Load(), int64(big))
	e.runs(t, "docker.io/lucid/first:latest")
	e.runs(t, "docker.io/lucid/first:also")

	// What changed is sent, and a second image with it.
	c.sent.Store(0)
	changed := named(t, "docker.io/lucid/first:latest", base, program, layer(t, "source", []byte("changed")))
	second := named(t, "registry.example.com:5000/team/second:v1", base, program, layer(t, "source", []byte("second")))
	require.NoError(t, s.Load(t.Context(), []image.Named{changed, second}))
	require.Less(t, c.sent.Load(), int64(256<<10), "layers that are there are sent again")
	e.runs(t, "docker.io/lucid/first:latest")
	e.runs(t, "registry.example.com:5000/team/second:v1")

	c.sent.Store(0)
	require.NoError(t, s.Load(t.Context(), []image.Named{changed, second}))
	require.Less(t, c.sent.Load(), int64(256<<10))
	requireDies(t, e, s)
}

// dying is a layer in the middle of which the engine ends.
type dying struct {
	v1.Layer
	end func()
}

func (d dying) Compressed() (io.ReadCloser, error) {
	r, err := d.Layer.Compressed()
	return struct {
		io.Reader
		io.Closer
	}{io.MultiReader(io.LimitReader(r, big/2), readerFunc(func([]byte) (int, error) { d.end(); return 0, io.EOF }), r), r}, err
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// requireDies is an engine that ends in the middle of a load: one line says so, soon.
func requireDies(t *testing.T, e engine, s Store) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	err := s.Load(ctx, []image.Named{named(t, "lucid/third:latest", dying{noise(t), e.Kill})})
	require.Error(t, err)
	require.NoError(t, ctx.Err())
	require.Contains(t, err.Error(), s.String())
	require.NotContains(t, err.Error(), "\n")
}

// A full disk is reported in the engine's own words, and what was there is there still.
func TestFullDisk(t *testing.T) {
	dockertest.Need(t, "dockerd")
	data := t.TempDir()
	require.NoError(t, syscall.Mount("tmpfs", data, "tmpfs", 0, "size=16m"))
	t.Cleanup(func() { require.NoError(t, syscall.Unmount(data, syscall.MNT_DETACH)) })
	e := ofDocker(dockertest.Docker{Data: data}.Start(t), false)
	s, _ := e.open(t)
	program := layer(t, "hello", hello(t))
	require.NoError(t, s.Load(t.Context(), []image.Named{named(t, "lucid/first:latest", program)}))
	err := s.Load(t.Context(), []image.Named{named(t, "lucid/first:latest", program, noise(t), noise(t), noise(t), noise(t))})
	require.ErrorContains(t, err, "no space left on device")
	require.NotContains(t, err.Error(), "\n")
	require.ErrorIs(t, err, syscall.ENOSPC)
	e.runs(t, "lucid/first:latest")
}

// A layer that is not what its digest says is not loaded.
func TestDamagedLayer(t *testing.T) {
	d := dockertest.Docker{}.Start(t)
	s, _ := ofDocker(d, false).open(t)
	err := s.Load(t.Context(), []image.Named{named(t, "lucid/first:latest", damaged{noise(t)})})
	require.ErrorContains(t, err, "its content is ")
	require.Empty(t, d.Run(t, "docker", "images", "--quiet"))
}

type damaged struct{ v1.Layer }

func (damaged) Compressed() (io.ReadCloser, error) {
	return io.NopCloser(io.LimitReader(zeros{}, big)), nil
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// Who is not there is named, with all that was tried.
func TestNobody(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("DOCKER_HOST", "unix://"+filepath.Join(dir, "docker.sock"))
	t.Setenv("CONTAINER_HOST", "unix://"+filepath.Join(dir, "podman.sock"))
	for store, says := range map[string]string{
		"":                         "loading into Docker or Podman: connecting to Docker at unix://" + dir + "/docker.sock: connect: no such file or directory",
		Docker:                     "loading into docker: connecting to Docker at unix://" + dir + "/docker.sock: connect: no such file or directory",
		Podman:                     "loading into podman: connecting to Podman at unix://" + dir + "/podman.sock: connect: no such file or directory",
		Containerd + dir + "/none": "loading into containerd:" + dir + "/none: connecting to containerd at " + dir + "/none: connect: no such file or directory",
		"rkt":                      `loading into rkt: "rkt" is not docker, podman or containerd:ADDRESS`,
	} {
		_, err := Open(t.Context(), store)
		require.EqualError(t, err, says)
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "file"), nil, 0o600))
	_, err := Open(t.Context(), Containerd+filepath.Join(dir, "file"))
	require.Error(t, err)
	require.Equal(t, 1, strings.Count(err.Error()+"\n", "\n"))
}
