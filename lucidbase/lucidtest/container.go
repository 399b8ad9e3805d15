package lucidtest

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/lucid-project/base-images/internal/sandbox"
)

// Container is a running image. Its methods may be called at once from several
// goroutines.
type Container struct {
	t       testing.TB
	name    string
	box     host
	process process
	config  v1.Config
	options options
	peers   map[string]*Container
	log     logBuffer

	mu       sync.Mutex
	url      string
	listener net.Listener
}

// Peer returns one of the containers that Peers started.
func (c *Container) Peer(name string) *Container {
	c.t.Helper()
	p, ok := c.peers[name]
	if !ok {
		c.t.Fatalf("no peer %q", name)
	}
	return p
}

// Client returns a client whose requests begin inside the container: hosts are
// localhost, the container's name and its peers'. The container's own name is its
// address as others reach it, so that a service which only listens on localhost is not
// found by it.
func (c *Container) Client() *http.Client {
	transport := &http.Transport{DialContext: c.process.DialContext}
	c.t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: c.options.timeout}
}

// Dial connects from inside the container to HOST:PORT, by "tcp" or "udp"; hosts are
// those of Client.
func (c *Container) Dial(network, address string) (net.Conn, error) {
	ctx, cancel := c.limit()
	defer cancel()
	return c.process.DialContext(ctx, network, address)
}

// URL returns an address of this machine's loopback interface, "http://127.0.0.1:PORT",
// that leads to the service's port until the test ends.
func (c *Container) URL() string {
	c.t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.url != "" {
		return c.url
	}
	port, err := c.port()
	if err == nil {
		c.listener, err = sandbox.Publish(c.t.Context(), "127.0.0.1:0", net.JoinHostPort(c.name, port), c.process.DialContext)
	}
	if err != nil {
		c.t.Fatalf("%s: %v", c.name, err)
	}
	c.url = "http://" + c.listener.Addr().String()
	return c.url
}

// Logs returns what the container has written to its standard output and error.
func (c *Container) Logs() string { return c.log.String() }

// Output is what a program left behind.
type Output struct {
	Stdout, Stderr string
	// Code is the exit code: 0 for success, 128 and its number for a signal.
	Code int
}

// Exec runs a program in the container, as its user, and waits for its end. The test
// ends if there is no such program.
func (c *Container) Exec(args ...string) Output {
	c.t.Helper()
	ctx, cancel := c.limit()
	defer cancel()
	out, err := c.exec(ctx, args)
	if err != nil {
		c.t.Fatalf("%s: running %s: %v%s", c.name, args, err, c.tail())
	}
	return out
}

func (c *Container) exec(ctx context.Context, args []string) (Output, error) {
	var stdout, stderr logBuffer
	code, err := c.process.exec(ctx, args, &stdout, &stderr)
	return Output{Stdout: stdout.String(), Stderr: stderr.String(), Code: code}, err
}

// ReadFile reads a file of the container, also when it has ended.
func (c *Container) ReadFile(name string) ([]byte, error) {
	ctx, cancel := c.limit()
	defer cancel()
	f, err := c.process.open(ctx, name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(f)
}

// stopTime is how long a container has between the stop signal and the end, as by
// "docker stop".
const stopTime = 10 * time.Second

// Stop asks the container to end, by the image's stop signal, as "docker stop" does:
// after ten seconds it is killed. It returns the exit code.
func (c *Container) Stop() int {
	c.t.Helper()
	ctx, cancel := c.limit()
	defer cancel()
	if err := c.process.Signal(ctx, cmp.Or(c.config.StopSignal, "SIGTERM")); err != nil {
		c.t.Fatalf("stopping %s: %v", c.name, err)
	}
	select {
	case <-c.process.Done():
	case <-time.After(stopTime):
		if err := c.process.Signal(ctx, "SIGKILL"); err != nil {
			c.t.Fatalf("stopping %s: %v", c.name, err)
		}
	}
	return c.Wait()
}

// Wait waits for the container's end and returns its exit code: 128 and the signal's
// number for one that a signal ended.
func (c *Container) Wait() int {
	c.t.Helper()
	select {
	case <-c.process.Done():
	case <-time.After(c.options.timeout):
		c.t.Fatalf("%s: no end within %s%s", c.name, c.options.timeout, c.tail())
	}
	code, err := c.process.ExitCode()
	if err != nil {
		c.t.Fatalf("%s: %v", c.name, err)
	}
	c.log.drain()
	return code
}

func (c *Container) limit() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), c.options.timeout)
}

// close ends the container and its peers, and shows the logs of a failed test.
func (c *Container) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.listener != nil {
		c.listener.Close()
	}
	if c.t.Failed() {
		for _, p := range c.peers {
			c.t.Logf("peer %s%s", p.name, p.tail())
		}
		c.t.Logf("%s%s", c.name, c.tail())
	}
	c.box.Close()
}

// tailLines is how many lines of a log an error shows.
const tailLines = 40

// tail describes a container for an error: how it ended, and its last lines.
func (c *Container) tail() string {
	text := ""
	if c.process != nil {
		select {
		case <-c.process.Done():
			c.log.drain()
			if code, err := c.process.ExitCode(); err == nil {
				text = fmt.Sprintf("; exit code %d", code)
			}
		default:
		}
	}
	log := strings.TrimRight(c.Logs(), "\n")
	if log == "" {
		return text + "; its log is empty"
	}
	lines := strings.Split(log, "\n")
	return text + "; the log's last lines:\n\t" + strings.Join(lines[max(0, len(lines)-tailLines):], "\n\t")
}

// logBuffer holds what was written to a pipe.
type logBuffer struct {
	mu    sync.Mutex
	data  bytes.Buffer
	ended <-chan struct{}
}

// pipe returns a file to write to; drain then waits for the end of what was written.
func (b *logBuffer) pipe() (*os.File, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("making a pipe: %w", err)
	}
	ended := make(chan struct{})
	b.ended = ended
	go func() {
		defer close(ended)
		defer r.Close()
		_, _ = io.Copy(b, r) // ends with the last writer
	}()
	return w, nil
}

// Write appends to the buffer.
func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.data.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.data.String()
}

// drain waits for what is on its way; not for ever, as a process that was left behind
// may hold the pipe.
func (b *logBuffer) drain() {
	select {
	case <-b.ended:
	case <-time.After(time.Second):
	}
}
