package engine

import (
	"context"
	"errors"
	"fmt"
	"net"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/moby/buildkit/client"
	gateway "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/util/progress/progressui"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/lucid-project/base-images/lucidbase"
)

// node is a BuildKit that solves graphs.
type node struct {
	// platform is what its steps run on.
	platform ocispecs.Platform
	embedded bool // it is this program's own
	// open connects to it. How it is dialled, and its sessions, is up to open:
	// BuildKit's client has an option for each.
	open func(ctx context.Context) (*connection, error)

	mu   sync.Mutex
	conn *connection // nil until it is needed
}

// connection is an open BuildKit.
type connection struct {
	client  buildkit
	backend Backend // nil for a BuildKit that this program did not start
}

// buildkit is what is needed of BuildKit's client.
type buildkit interface {
	Build(ctx context.Context, opt client.SolveOpt, product string, build gateway.BuildFunc, status chan *client.SolveStatus) (*client.SolveResponse, error)
	DiskUsage(ctx context.Context, opts ...client.DiskUsageOption) ([]*client.UsageInfo, error)
	Prune(ctx context.Context, removed chan client.UsageInfo, opts ...client.PruneOption) error
	Close() error
}

// dialNode connects to the BuildKit at an address that its client understands.
func dialNode(ctx context.Context, address string) (*node, error) {
	c, err := client.New(ctx, address)
	if err != nil {
		return nil, err
	}
	n := &node{conn: &connection{client: c}}
	if n.platform, err = nativePlatform(ctx, c); err != nil {
		return nil, errors.Join(&ConnectError{address, err}, n.close())
	}
	return n, nil
}

// ConnectError is that a BuildKit cannot be reached, or cannot build anything.
type ConnectError struct {
	Address string
	Err     error
}

// Error names the address.
func (e *ConnectError) Error() string {
	return fmt.Sprintf("connecting to BuildKit at %s: %v", e.Address, e.Err)
}

// Unwrap returns the cause.
func (e *ConnectError) Unwrap() error { return e.Err }

// nativePlatform asks a BuildKit what its steps run on. It is the first call: it shows
// whether anybody is there.
func nativePlatform(ctx context.Context, c *client.Client) (ocispecs.Platform, error) {
	workers, err := listWorkers(ctx, c)
	if err != nil {
		return ocispecs.Platform{}, err
	}
	if len(workers) == 0 || len(workers[0].Platforms) == 0 {
		return ocispecs.Platform{}, errors.New("it has no worker")
	}
	// A worker lists its own platform first, what it can emulate after it.
	native := workers[0].Platforms[0]
	return lucidbase.ParsePlatform(native.OS + "/" + native.Architecture)
}

// answerTime is how long a BuildKit may take for its first answer.
const answerTime = 15 * time.Second

func listWorkers(ctx context.Context, c *client.Client) ([]*client.WorkerInfo, error) {
	patient, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	workers, err := c.ListWorkers(patient)
	switch {
	case err == nil:
		return workers, nil
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case patient.Err() != nil:
		return nil, fmt.Errorf("no answer in %s", answerTime)
	}
	return nil, errors.New(dialCause(err.Error()))
}

// dialCause drops gRPC's words before the cause, and all but the first line of
// what a helper such as ssh printed.
func dialCause(text string) string {
	for _, before := range []string{"failed to list workers: ", "Error while dialing: ", "stderr="} {
		if _, cause, ok := strings.Cut(text, before); ok {
			text = cause
		}
	}
	text, _, _ = strings.Cut(strings.ReplaceAll(text, `\r`, ""), `\n`)
	return strings.TrimSuffix(oneLine(text), `"`)
}

// embeddedNode is this program's own BuildKit.
func (e *Engine) embeddedNode() (*node, error) {
	if embedded == nil {
		return nil, errors.New("no engine: BUILDKIT_HOST is not set, and this program does not import lucidbase/engine/embedded")
	}
	platform, err := lucidbase.ParsePlatform("linux/" + runtime.GOARCH)
	return &node{platform: platform, embedded: true, open: e.start}, err
}

// start connects to the embedded BuildKit, which starts if it does not run.
func (e *Engine) start(ctx context.Context) (*connection, error) {
	if err := e.forgetEngineSize(); err != nil {
		return nil, err
	}
	warn := e.note
	if e.options.progressMode == string(progressui.QuietMode) {
		warn = nil
	}
	backend, err := embedded(ctx, BackendConfig{
		StateDir: e.options.stateDir(),
		Notify:   e.note,
		Warn:     warn,
	})
	if err != nil {
		return nil, &StepError{Reason: oneLine(err.Error()), cause: err}
	}
	c, err := client.New(ctx, "passthrough:///embedded", client.WithContextDialer(
		func(ctx context.Context, _ string) (net.Conn, error) { return backend.Dial(ctx) }))
	if err != nil {
		return nil, errors.Join(err, backend.Close())
	}
	return &connection{client: c, backend: backend}, nil
}

// connected returns the connection of this moment, and opens one if nothing has needed
// it before.
func (n *node) connected(ctx context.Context) (*connection, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.conn != nil {
		return n.conn, nil
	}
	conn, err := n.open(ctx)
	if err != nil {
		return nil, err
	}
	n.conn = conn
	return conn, nil
}

// restart connects to BuildKit anew, unless another build did it meanwhile. It
// returns what went wrong with the old connection, which is broken anyway.
func (n *node) restart(ctx context.Context, old *connection) (closed, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.conn != old || old.backend == nil {
		return nil, nil
	}
	closed = old.close()
	n.conn = nil
	conn, err := n.open(ctx)
	if err != nil {
		return closed, err
	}
	n.conn = conn
	return closed, nil
}

func (n *node) close() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.conn == nil {
		return nil
	}
	return n.conn.close()
}

// errLeft is that BuildKit took what two builds need from the client of the other one.
var errLeft = errors.New("another build, from which BuildKit took what both need, was ended")

// canceled is how BuildKit hands a client's end on to those who wait for the same.
const canceled = "context canceled"

// broken returns why a solve that was not cancelled failed through no fault of its own:
// what a Backend says, or errLeft.
func (c *connection) broken(failed error) error {
	if c.backend != nil {
		if why := c.backend.Broken(failed); why != nil {
			return why
		}
	}
	if strings.Contains(failed.Error(), canceled) {
		return errLeft
	}
	return nil
}

func (c *connection) close() error {
	err := c.client.Close()
	if c.backend != nil {
		err = errors.Join(err, c.backend.Close())
	}
	return err
}
