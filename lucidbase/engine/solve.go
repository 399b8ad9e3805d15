package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

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

	"github.com/lucid-project/base-images/internal/offer"
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

// nodeFor returns the node that builds for a platform: one that runs it natively if
// there is one.
func (e *Engine) nodeFor(target ocispecs.Platform) *node {
	for _, n := range e.nodes {
		if lucidbase.FormatPlatform(n.platform) == lucidbase.FormatPlatform(target) {
			return n
		}
	}
	return e.nodes[0]
}

// offer readies the layers that BuildKit may ask for.
func (e *Engine) offer(ctx context.Context, graphs []graph) error {
	for _, g := range graphs {
		for _, in := range g.inputs {
			if err := e.store.add(ctx, in); err != nil {
				return err
			}
		}
	}
	return nil
}

// solve has a node build a platform's image and export it, uncompressed, into the
// store. It returns the digest of the manifest.
func (e *Engine) solve(ctx context.Context, g graph, d *display) (digest.Digest, error) {
	n := e.nodeFor(g.platform)
	conn, err := n.connected(ctx)
	if err != nil {
		return "", err
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
			OutputStore: newExportStore(e.store.Store),
		}},
		OCIStores:   map[string]content.Store{offer.StoreID: e.store},
		LocalMounts: g.locals.mounts(),
		Session:     []session.Attachable{e.secrets()},
		// What it asks for is compared with what it gets.
		FrontendAttrs: map[string]string{"platform": lucidbase.FormatPlatform(g.platform)},
	}
	var lacking error // of this type: what the client returns is text
	res, err := conn.client.Build(ctx, opt, "lucidbase", func(ctx context.Context, c gateway.Client) (*gateway.Result, error) {
		if lacking = checkMerge(c.BuildOpts().LLBCaps); lacking != nil {
			return nil, lacking
		}
		return g.solve(ctx, c)
	}, d.solve())
	if lacking != nil {
		return "", lacking
	}
	if err != nil {
		return "", solveError{n, conn, err}
	}
	return digest.Parse(res.ExporterResponse[exptypes.ExporterImageDigestKey])
}

// solve returns the graph's files with what the exporter has to know of the image.
func (g graph) solve(ctx context.Context, c gateway.Client) (*gateway.Result, error) {
	solved, err := c.Solve(ctx, gateway.SolveRequest{Definition: g.definition, Evaluate: true})
	if err != nil {
		return nil, err
	}
	ref, err := solved.SingleRef()
	if err != nil {
		return nil, err
	}
	id := lucidbase.FormatPlatform(g.platform)
	platforms, err := json.Marshal(exptypes.Platforms{Platforms: []exptypes.Platform{{ID: id, Platform: g.platform}}})
	if err != nil {
		return nil, err
	}
	res := gateway.NewResult()
	res.AddRef(id, ref)
	res.AddMeta(exptypes.ExporterImageConfigKey+"/"+id, g.config)
	res.AddMeta(exptypes.ExporterPlatformsKey, platforms)
	return res, nil
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
