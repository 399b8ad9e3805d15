package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"syscall"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"github.com/lucid-project/base-images/internal/reexec"
)

// Process is a started container.
type Process struct {
	sandbox *Sandbox
	name    string
	done    chan struct{}
	code    int
	err     error
}

// Start unpacks an image's layers, unless that was done before, and starts it.
func (s *Sandbox) Start(ctx context.Context, c Container) (*Process, error) {
	p, err := s.start(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("starting %s: %w", c.Name, err)
	}
	return p, nil
}

func (s *Sandbox) start(ctx context.Context, c Container) (*Process, error) {
	if !slices.Contains(s.settings.Names, c.Name) {
		return nil, errors.New("the sandbox was not opened with that name")
	}
	config, err := c.Image.ConfigFile()
	if err != nil {
		return nil, err
	}
	q := request{Do: doStart, Container: c.Name, Config: *config.Config.DeepCopy(), Args: c.Args, Env: c.Env}
	for _, diffID := range config.RootFS.DiffIDs {
		q.Layers = append(q.Layers, diffID.String())
	}
	if len(q.Layers) == 0 {
		return nil, errors.New("the image has no layers")
	}
	for _, m := range c.Mounts {
		if m.Source, err = filepath.Abs(m.Source); err != nil {
			return nil, err
		}
		if _, err := os.Stat(m.Source); err != nil {
			return nil, fmt.Errorf("a mount: %w", err)
		}
		q.Mounts = append(q.Mounts, m)
	}
	if err := s.unpack(ctx, c.Image, q.Layers); err != nil {
		return nil, err
	}
	for _, f := range []*os.File{c.Stdout, c.Stderr} {
		// Go's own pipes do not block, which programs do not expect.
		if err := unix.SetNonblock(int(f.Fd()), false); err != nil {
			return nil, err
		}
	}
	if _, _, err := s.call(ctx, q, c.Stdout, c.Stderr); err != nil {
		return nil, err
	}
	p := &Process{sandbox: s, name: c.Name, done: make(chan struct{})}
	go func() {
		defer close(p.done)
		r, _, err := s.call(context.Background(), request{Do: doWait, Container: c.Name})
		p.code, p.err = r.Code, err
	}()
	return p, nil
}

// unpack has those layers unpacked that are not.
func (s *Sandbox) unpack(ctx context.Context, img v1.Image, layers []string) error {
	r, _, err := s.call(ctx, request{Do: doMissing, Layers: layers})
	if err != nil {
		return err
	}
	missing := slices.Compact(slices.Sorted(slices.Values(r.List)))
	eg, ctx := errgroup.WithContext(ctx)
	eg.SetLimit(runtime.GOMAXPROCS(0))
	for _, diffID := range missing {
		eg.Go(func() error { return s.unpackLayer(ctx, img, diffID) })
	}
	return eg.Wait()
}

func (s *Sandbox) unpackLayer(ctx context.Context, img v1.Image, diffID string) error {
	hash, err := v1.NewHash(diffID)
	if err != nil {
		return err
	}
	layer, err := img.LayerByDiffID(hash)
	if err != nil {
		return err
	}
	tar, err := layer.Uncompressed()
	if err != nil {
		return fmt.Errorf("reading layer %s: %w", diffID, err)
	}
	defer tar.Close()
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	read := make(chan error, 1)
	go func() {
		_, err := io.Copy(w, tar)
		read <- errors.Join(err, w.Close())
	}()
	_, _, err = s.call(ctx, request{Do: doUnpack, Layers: []string{diffID}}, r)
	r.Close()
	// Another process was faster, or the layer is refused: nobody reads the rest.
	if readErr := <-read; !errors.Is(readErr, syscall.EPIPE) {
		err = errors.Join(err, readErr)
	}
	return err
}

// call has the sandbox's process do something.
func (s *Sandbox) call(ctx context.Context, q request, files ...*os.File) (r reply, out *os.File, err error) {
	ours, theirs, err := reexec.SocketPair(unix.SOCK_STREAM)
	if err != nil {
		return reply{}, nil, err
	}
	err = s.link.Send(msgCall, "", theirs)
	theirs.Close()
	if err != nil {
		ours.Close()
		return reply{}, nil, callError(q.Do, err)
	}
	conn, err := reexec.Connection(ours)
	if err != nil {
		return reply{}, nil, err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	err = writeMessage(conn, q, files...)
	var outs []*os.File
	if err == nil {
		outs, err = readMessage(conn, &r)
	}
	switch cause := context.Cause(ctx); {
	case err != nil && cause != nil:
		return reply{}, nil, cause
	case err != nil:
		return reply{}, nil, callError(q.Do, err)
	}
	if len(outs) > 0 {
		out = outs[0]
		closeAll(outs[1:])
	}
	if r.Error != "" {
		err = errors.New(r.Error)
	}
	return r, out, err
}

// Done is closed when the container has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// ExitCode is that of a container that has ended, 128 and the signal's number for
// one that a signal ended; -1 with an error where the sandbox was closed before.
func (p *Process) ExitCode() (int, error) {
	if p.err != nil {
		return -1, p.err
	}
	return p.code, nil
}

// Signal sends a signal, SIGTERM or its number, to the container's first process. One
// that has ended gets none.
func (p *Process) Signal(ctx context.Context, sig string) error {
	number, err := strconv.Atoi(sig)
	if err != nil {
		number = int(unix.SignalNum(sig))
	}
	if number <= 0 {
		return fmt.Errorf("signal %q is not known", sig)
	}
	_, _, err = p.sandbox.call(ctx, request{Do: doSignal, Container: p.name, Signal: number})
	return err
}

// Exec runs a further program in the container and returns its exit code.
func (p *Process) Exec(ctx context.Context, args []string, stdout, stderr *os.File) (int, error) {
	for _, f := range []*os.File{stdout, stderr} {
		if err := unix.SetNonblock(int(f.Fd()), false); err != nil {
			return 0, err
		}
	}
	r, _, err := p.sandbox.call(ctx, request{Do: doExec, Container: p.name, Args: args}, stdout, stderr)
	return r.Code, err
}

// DialContext connects to HOST:PORT from inside the container. HOST is localhost, the
// name of a container or an address.
func (p *Process) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	_, socket, err := p.sandbox.call(ctx, request{Do: doDial, Container: p.name, Network: network, Address: address})
	if err != nil {
		return nil, err
	}
	defer socket.Close()
	return net.FileConn(socket)
}

// Open opens a file of the container for reading, also after its end.
func (p *Process) Open(ctx context.Context, path string) (*os.File, error) {
	_, file, err := p.sandbox.call(ctx, request{Do: doOpen, Container: p.name, Path: path})
	return file, err
}

// Listening lists the addresses that somebody in the container listens on by TCP.
func (p *Process) Listening(ctx context.Context) ([]string, error) {
	r, _, err := p.sandbox.call(ctx, request{Do: doSockets, Container: p.name})
	return r.List, err
}
