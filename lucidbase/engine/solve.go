package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/exporter/containerimage/exptypes"
	gateway "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/session"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/apicaps"
	"github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"

	"github.com/lucid-project/base-images/llbutil"
	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/rootfs/alpine"
	"github.com/lucid-project/base-images/lucidbase/verify"
)

// graph is one platform of a job, ready to be solved.
type graph struct {
	platform   ocispecs.Platform
	definition *pb.Definition
	config     []byte
	inputs     []lucidbase.Input
	contract   verify.Contract
	notes      []string
	locals     locals
}

// graphs makes the job's graphs.
func (e *Engine) graphs(ctx context.Context, job Job) ([]graph, error) {
	made, errs := e.specGraphs(ctx, job.Spec, job.Platforms)
	for _, err := range errs {
		if errors.Is(err, alpine.ErrNoImage) || err != nil && ctx.Err() != nil {
			return nil, err // it is the same for every platform
		}
	}
	graphs := make([]graph, len(made))
	named := locals{}
	for i := range made {
		if errs[i] == nil {
			errs[i] = named.read(ctx, made[i])
		}
	}
	for i, target := range job.Platforms {
		if errs[i] == nil {
			graphs[i], errs[i] = newGraph(ctx, made[i], target, named)
		}
	}
	return graphs, errors.Join(errs...)
}

// newGraph readies a graph to be solved, with the directories that the job's graphs name.
func newGraph(ctx context.Context, g lucidbase.Graph, target ocispecs.Platform, named locals) (graph, error) {
	contract, err := contractOf(g, target)
	if err != nil {
		return graph{}, err
	}
	def, err := g.State.Marshal(ctx, llb.Platform(target), llb.LocalUniqueID(named.digest()))
	if err != nil {
		return graph{}, fmt.Errorf("marshalling the graph for %s: %w", lucidbase.FormatPlatform(target), err)
	}
	config, err := json.Marshal(g.ImageConfig())
	if err != nil {
		return graph{}, fmt.Errorf("encoding the config for %s: %w", lucidbase.FormatPlatform(target), err)
	}
	return graph{
		platform:   target,
		definition: def.ToPB(),
		config:     config,
		inputs:     g.Inputs,
		contract:   contract,
		notes:      g.Notes,
		locals:     named,
	}, nil
}

// ignoreCache returns a definition whose every step runs again.
func ignoreCache(def *pb.Definition) *pb.Definition {
	def = def.CloneVT()
	for _, meta := range def.Metadata {
		meta.IgnoreCache = true
	}
	return def
}

// solve builds the graphs and exports them, uncompressed, into the store. It
// returns the digest of an index, or of a manifest for a single platform.
func (e *Engine) solve(ctx context.Context, graphs []graph, d *display) (digest.Digest, error) {
	conn, err := e.connected(ctx)
	if err != nil {
		return "", err
	}
	names := make([]string, len(graphs))
	for i, g := range graphs {
		names[i] = lucidbase.FormatPlatform(g.platform)
		for _, in := range g.inputs {
			if err := e.store.add(in); err != nil {
				return "", err
			}
		}
	}
	opt := client.SolveOpt{
		Exports: []client.ExportEntry{{
			Type: client.ExporterOCI,
			Attrs: map[string]string{
				"tar":            "false",
				"oci-mediatypes": "true",
				"compression":    "uncompressed",
				// Without it the exporter hands out whatever blob it has of a layer.
				"force-compression": "true",
			},
			// Not e.store, which says of layers that it can make that it has them.
			OutputStore: e.store.Store,
		}},
		OCIStores: map[string]content.Store{llbutil.StoreID: e.store},
		// All graphs of a job have the same.
		LocalMounts: graphs[0].locals.mounts(),
		Session:     []session.Attachable{e.secrets()},
		// What it asks for is compared with what it gets.
		FrontendAttrs: map[string]string{"platform": strings.Join(names, ",")},
	}
	var lacking error // of this type: what the client returns is text
	res, err := conn.client.Build(ctx, opt, "lucidbase", func(ctx context.Context, c gateway.Client) (*gateway.Result, error) {
		if lacking = checkMerge(c.BuildOpts().LLBCaps); lacking != nil {
			return nil, lacking
		}
		return solveAll(ctx, c, graphs)
	}, d.solve())
	if lacking != nil {
		return "", lacking
	}
	if err != nil {
		return "", solveError{conn, err}
	}
	return digest.Parse(res.ExporterResponse[exptypes.ExporterImageDigestKey])
}

// ErrNoMerge says that a BuildKit cannot put layers on each other without copying
// them. Docker's can with the containerd image store alone.
var ErrNoMerge = errors.New("this BuildKit has no MergeOp, which puts an image's layers together")

// checkMerge reports ErrNoMerge before anything is built.
func checkMerge(caps apicaps.CapSet) error {
	if err := caps.Supports(pb.CapMergeOp); err != nil {
		return fmt.Errorf("%w: %w", ErrNoMerge, err)
	}
	return nil
}

// solveAll solves every platform at once.
func solveAll(ctx context.Context, c gateway.Client, graphs []graph) (*gateway.Result, error) {
	res := gateway.NewResult()
	platforms := exptypes.Platforms{Platforms: make([]exptypes.Platform, len(graphs))}
	eg, ctx := errgroup.WithContext(ctx)
	for i, g := range graphs {
		id := lucidbase.FormatPlatform(g.platform)
		platforms.Platforms[i] = exptypes.Platform{ID: id, Platform: g.platform}
		eg.Go(func() error {
			r, err := c.Solve(ctx, gateway.SolveRequest{Definition: g.definition, Evaluate: true})
			if err != nil {
				return err
			}
			ref, err := r.SingleRef()
			if err != nil {
				return err
			}
			res.AddRef(id, ref)
			res.AddMeta(exptypes.ExporterImageConfigKey+"/"+id, g.config)
			return nil
		})
	}
	if err := eg.Wait(); err != nil {
		return nil, err
	}
	encoded, err := json.Marshal(platforms)
	if err != nil {
		return nil, err
	}
	res.AddMeta(exptypes.ExporterPlatformsKey, encoded)
	return res, nil
}
