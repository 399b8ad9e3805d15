package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"regexp"
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
	name string // as people know it
	// platform is what its steps run on.
	platform ocispecs.Platform
	embedded bool // it is this program's own
	// open connects to it. How it is dialled, and its sessions, is up to open:
	// BuildKit's client has an option for each.
	open func(ctx context.Context) (*connection, error)

	// slots limits how many graphs it solves at once; nil means that it does so itself.
	slots chan struct{}

	mu   sync.Mutex
	conn *connection // nil until it is needed

	// These two are the placement's.
	assigned int   // graphs that it is to solve, or solves
	lost     error // why nothing is assigned to it any more
}

// connection is an open BuildKit.
type connection struct {
	client  buildkit
	backend Backend // nil for a BuildKit that this program did not start
}

// buildkit is what is needed of BuildKit's client.
type buildkit interface {
	Build(ctx context.Context, opt client.SolveOpt, product string, build gateway.BuildFunc, status chan *client.SolveStatus) (*client.SolveResponse, error)
	ListWorkers(ctx context.Context, opts ...client.ListWorkersOption) ([]*client.WorkerInfo, error)
	DiskUsage(ctx context.Context, opts ...client.DiskUsageOption) ([]*client.UsageInfo, error)
	Prune(ctx context.Context, removed chan client.UsageInfo, opts ...client.PruneOption) error
	Close() error
}

// dialNode connects to an endpoint.
func dialNode(ctx context.Context, at endpoint) (*node, error) {
	c, err := client.New(ctx, at.address, at.options...)
	if err != nil {
		return nil, &ConnectError{at.name, err}
	}
	n := &node{name: at.name, slots: make(chan struct{}, maxSolves), conn: &connection{client: c}}
	workers, err := listWorkers(ctx, c, answerTime)
	if err == nil && at.check != nil {
		err = at.check(ctx, workers)
	}
	if err == nil {
		n.platform, err = nativePlatform(workers)
	}
	if err != nil {
		if dialled := at.dialled.failed(); dialled != nil {
			err = dialled // what comes over gRPC is text
		} else if at.explain != nil {
			err = cmp.Or(at.explain(ctx), err)
		}
		return nil, errors.Join(&ConnectError{at.name, err}, n.close())
	}
	return n, nil
}

// ConnectError says that a BuildKit cannot be reached, or cannot build anything.
type ConnectError struct {
	// Name is the BuildKit's, such as "BuildKit at tcp://build.example.com:1234".
	Name string
	Err  error
}

// Error names the BuildKit.
func (e *ConnectError) Error() string { return fmt.Sprintf("connecting to %s: %v", e.Name, e.Err) }

// Unwrap returns the cause.
func (e *ConnectError) Unwrap() error { return e.Err }

// nativePlatform returns what a BuildKit's steps run on.
func nativePlatform(workers []*client.WorkerInfo) (ocispecs.Platform, error) {
	if len(workers[0].Platforms) == 0 {
		return ocispecs.Platform{}, errNoWorker
	}
	// A worker lists its own platform first, what it can emulate after it.
	native := workers[0].Platforms[0]
	return lucidbase.ParsePlatform(native.OS + "/" + native.Architecture)
}

// errNoWorker says that a BuildKit has nothing that runs steps.
var errNoWorker = errors.New("it has no worker")

// answerTime is how long a BuildKit may take for its first answer.
const answerTime = 15 * time.Second

// listWorkers returns at least one. It is the first call: it shows whether anybody is
// there.
func listWorkers(ctx context.Context, c buildkit, limit time.Duration) ([]*client.WorkerInfo, error) {
	patient, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	workers, err := c.ListWorkers(patient)
	switch {
	case err == nil && len(workers) == 0:
		return nil, errNoWorker
	case err == nil:
		return workers, nil
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case patient.Err() != nil:
		return nil, fmt.Errorf("no answer in %s", limit)
	}
	return nil, brief{dialCause(err.Error()), err}
}

// kubectlLog begins a line of what kubectl logs before it says what is wrong.
var kubectlLog = regexp.MustCompile(`^[EWI]\d{4} `)

// dialCause drops gRPC's words before the cause, and all but the first line of
// what a helper such as ssh printed.
func dialCause(text string) string {
	if strings.Contains(text, "looked like an HTTP/1.1 header") {
		return "it answers in HTTP/1.1, as Docker does, whose BuildKit is --engine docker with DOCKER_HOST"
	}
	for _, before := range []string{"failed to list workers: ", "Error while dialing: ", "authentication handshake failed: ", "stderr="} {
		if _, cause, ok := strings.Cut(text, before); ok {
			text = cause
		}
	}
	said := strings.Split(strings.ReplaceAll(text, `\r`, ""), `\n`)
	for len(said) > 1 && kubectlLog.MatchString(said[0]) {
		said = said[1:]
	}
	return strings.ReplaceAll(strings.TrimSuffix(oneLine(said[0]), `"`), `\"`, `"`)
}

// embeddedNode is this program's own BuildKit.
func (e *Engine) embeddedNode() (*node, error) {
	if embedded == nil {
		return nil, errors.New("no BuildKit in this program: it does not import lucidbase/engine/embedded")
	}
	platform, err := lucidbase.ParsePlatform("linux/" + runtime.GOARCH)
	return &node{name: "the BuildKit in this program", platform: platform, embedded: true, open: e.start}, err
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

// errLeft says that BuildKit took what two builds need from the client of the other
// one, which has ended.
var errLeft = errors.New("another build, from which BuildKit took what both need, was ended")

// canceled is what BuildKit says to a build that waits for the same step as another one
// whose client has ended.
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
