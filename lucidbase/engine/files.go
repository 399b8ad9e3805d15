package engine

import (
	"context"
	"fmt"

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
)

// Platform is the one that the engine's stages run on.
func (e *Engine) Platform() ocispecs.Platform { return e.nodes[0].platform }

// ReadFiles builds a graph and gives the named files of its root directory.
func (e *Engine) ReadFiles(ctx context.Context, state llb.State, inputs []lucidbase.Input, names []string) (map[string][]byte, error) {
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
	n := e.nodes[0]
	conn, err := n.connected(ctx)
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	opt := client.SolveOpt{
		OCIStores: map[string]content.Store{offer.StoreID: e.store},
		Session:   []session.Attachable{e.secrets()},
	}
	_, err = conn.client.Build(ctx, opt, "lucidbase", func(ctx context.Context, c gateway.Client) (*gateway.Result, error) {
		res, err := c.Solve(ctx, gateway.SolveRequest{Definition: def.ToPB(), Evaluate: true})
		if err != nil {
			return nil, err
		}
		ref, err := res.SingleRef()
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			if files[name], err = ref.ReadFile(ctx, gateway.ReadRequest{Filename: name}); err != nil {
				return nil, fmt.Errorf("reading %s from the result: %w", name, err)
			}
		}
		return gateway.NewResult(), nil
	}, d.solve())
	if err != nil {
		return nil, e.solveFailed(ctx, d, solveError{n, conn, err})
	}
	return files, nil
}

// CacheDir is where the engine keeps everything that can be made again.
func (e *Engine) CacheDir() string { return e.options.cacheDir }

// Prepare makes layers before a build asks for them. A locked file that is
// nowhere to be had is debian.ErrGone.
func (e *Engine) Prepare(ctx context.Context, inputs []lucidbase.Input) error {
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
