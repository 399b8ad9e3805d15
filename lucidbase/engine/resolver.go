package engine

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/client/llb"
	gateway "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/session"
	"github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"

	"github.com/lucid-project/base-images/internal/offer"
	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/resolve"
)

// Resolver returns what package resolve makes locks with, until Close.
func (e *Engine) Resolver() resolve.Resolver {
	e.holding.Do(func() { e.release, _ = e.hold(context.Background()) }) // until Close
	return resolve.Resolver{Runner: runner{e}, Archives: e.archives, Registries: e.upstream, Cache: filepath.Join(e.options.cacheDir, "locks")}
}

// runner is what a resolver asks an engine for, and nobody else.
type runner struct{ *Engine }

// Platform implements resolve.Runner.
func (e runner) Platform() ocispecs.Platform { return e.nodes[0].platform }

// ReadFiles implements resolve.Runner.
func (e runner) ReadFiles(ctx context.Context, state llb.State, inputs []lucidbase.Input, names []string) (map[string][]byte, error) {
	e.beginOnNodes()
	for _, in := range inputs {
		if err := e.store.add(ctx, in); err != nil {
			return nil, err
		}
	}
	def, err := state.Marshal(ctx, llb.Platform(e.Platform()))
	if err != nil {
		return nil, fmt.Errorf("marshalling the graph: %w", err)
	}
	var files map[string][]byte
	err = e.repairing(ctx, func() (err error) {
		files, err = e.readFiles(ctx, def, names)
		return err
	})
	return files, err
}

// readFiles solves a graph and reads its files, once.
func (e *Engine) readFiles(ctx context.Context, def *llb.Definition, names []string) (map[string][]byte, error) {
	d, err := newDisplay(e.options.progress, e.options.progressMode)
	if err != nil {
		return nil, err
	}
	defer d.close()
	r := reading{def: def, names: names, files: map[string][]byte{}}
	err = e.onNode(ctx, e.firstNode(), func(ctx context.Context, n *node, conn *connection) error {
		return e.readOn(ctx, n, conn, r, d)
	})
	if err != nil {
		return nil, e.solveFailed(ctx, d, err)
	}
	return r.files, nil
}

// firstNode is the node that resolves: it has what it did before in its cache.
func (e *Engine) firstNode() *node {
	e.placing.Lock()
	defer e.placing.Unlock()
	n := e.left()[0]
	for _, other := range e.left() {
		if samePlatform(other.platform, e.nodes[0].platform) {
			n = other
			break
		}
	}
	n.assigned++
	return n
}

// reading is a graph and the files that are read of what it makes.
type reading struct {
	def   *llb.Definition
	names []string
	files map[string][]byte
}

// readOn has a node solve a graph.
func (e *Engine) readOn(ctx context.Context, n *node, conn *connection, r reading, d *display) error {
	if !samePlatform(n.platform, e.nodes[0].platform) {
		return fmt.Errorf("resolving for %s: no node of it is left", lucidbase.FormatPlatform(e.nodes[0].platform))
	}
	opt := client.SolveOpt{
		OCIStores: map[string]content.Store{offer.StoreID: e.store},
		Session:   []session.Attachable{e.secrets()},
	}
	status, forget := d.solve(nil)
	_, err := conn.client.Build(ctx, opt, "lucidbase", func(ctx context.Context, c gateway.Client) (*gateway.Result, error) {
		res, err := c.Solve(ctx, gateway.SolveRequest{Definition: r.def.ToPB(), Evaluate: true})
		if err != nil {
			return nil, err
		}
		ref, err := res.SingleRef()
		if err != nil {
			return nil, err
		}
		for _, name := range r.names {
			if r.files[name], err = ref.ReadFile(ctx, gateway.ReadRequest{Filename: name}); err != nil {
				return nil, fmt.Errorf("reading %s from the result: %w", name, err)
			}
		}
		return gateway.NewResult(), nil
	}, status)
	if err != nil {
		return solveError{n, conn, forget, err}
	}
	return nil
}

// Prepare implements resolve.Runner.
func (e runner) Prepare(ctx context.Context, inputs []lucidbase.Input) error {
	eg, ctx := errgroup.WithContext(ctx)
	for _, in := range inputs {
		eg.Go(func() error {
			if err := e.store.add(ctx, in); err != nil {
				return err
			}
			// BuildKit may never ask for it: the size is enough to know that it could.
			d := digest.Digest(in.Layer.Digest)
			if info, err := e.store.Store.Info(ctx, d); err == nil && info.Size == in.Layer.Size {
				return nil
			}
			return e.store.ensure(ctx, d)
		})
	}
	return eg.Wait()
}
