package lucidtest

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/lucid-project/base-images/internal/dockerbox"
	"github.com/lucid-project/base-images/internal/sandbox"
)

// host is where the containers of a test run: a sandbox of this machine, or Docker.
type host interface {
	// start starts a container whose output goes to a log.
	start(ctx context.Context, c sandbox.Container, log *logBuffer) (process, error)
	Close() error
}

// process is a started container; see sandbox.Process.
type process interface {
	Done() <-chan struct{}
	ExitCode() (int, error)
	Signal(ctx context.Context, sig string) error
	DialContext(ctx context.Context, network, address string) (net.Conn, error)
	Listening(ctx context.Context) ([]string, error)
	exec(ctx context.Context, args []string, stdout, stderr *logBuffer) (int, error)
	open(ctx context.Context, name string) (io.ReadCloser, error)
}

// engineEnv names where images run: "docker", or by default a sandbox.
const engineEnv = "LUCIDTEST_ENGINE"

// openHost skips the test where images cannot run. helper is an image with Python.
func openHost(t testing.TB, c sandbox.Config, helper v1.Image) host {
	t.Helper()
	dir, err := cacheDir()
	if err != nil {
		t.Fatal(err)
	}
	c.CacheDir = filepath.Join(dir, "sandbox")
	var m host
	switch engine := os.Getenv(engineEnv); engine {
	case "":
		var box *sandbox.Sandbox
		box, err = sandbox.Open(t.Context(), c)
		m = here{box}
	case "docker":
		var box *dockerbox.Box
		box, err = dockerbox.Open(t.Context(), c, helper)
		m = inDocker{box}
	default:
		t.Fatalf("%s=%s: not docker, and not empty", engineEnv, engine)
	}
	if errors.Is(err, sandbox.ErrCannotRun) && os.Getenv("LUCID_REQUIRE_ENGINE") != "1" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// here is this machine.
type here struct{ *sandbox.Sandbox }

func (h here) start(ctx context.Context, c sandbox.Container, log *logBuffer) (process, error) {
	out, err := log.pipe()
	if err != nil {
		return nil, err
	}
	defer out.Close() // the log ends with the container's own
	c.Stdout, c.Stderr = out, out
	p, err := h.Start(ctx, c)
	if err != nil {
		return nil, err
	}
	return hereProcess{p}, nil
}

type hereProcess struct{ *sandbox.Process }

func (p hereProcess) exec(ctx context.Context, args []string, stdout, stderr *logBuffer) (int, error) {
	var files []*os.File
	for _, b := range []*logBuffer{stdout, stderr} {
		f, err := b.pipe()
		if err != nil {
			return 0, err
		}
		defer f.Close()
		files = append(files, f)
	}
	code, err := p.Exec(ctx, args, files[0], files[1])
	for i, b := range []*logBuffer{stdout, stderr} {
		files[i].Close()
		b.drain()
	}
	return code, err
}

func (p hereProcess) open(ctx context.Context, name string) (io.ReadCloser, error) {
	return p.Open(ctx, name)
}

// inDocker is Docker.
type inDocker struct{ *dockerbox.Box }

func (d inDocker) start(ctx context.Context, c sandbox.Container, log *logBuffer) (process, error) {
	p, logged, err := d.Start(ctx, c, log)
	if err != nil {
		return nil, err
	}
	log.ended = logged
	return dockerProcess{p}, nil
}

type dockerProcess struct{ *dockerbox.Process }

func (p dockerProcess) exec(ctx context.Context, args []string, stdout, stderr *logBuffer) (int, error) {
	return p.Exec(ctx, args, stdout, stderr)
}

func (p dockerProcess) open(ctx context.Context, name string) (io.ReadCloser, error) {
	return p.Open(ctx, name)
}
