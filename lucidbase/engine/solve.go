package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/exporter/containerimage/exptypes"
	gateway "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/session"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/apicaps"
	"github.com/moby/buildkit/util/grpcerrors"
	"github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"google.golang.org/grpc/codes"

	"github.com/lucid-project/base-images/internal/offer"
	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/rootfs/alpine"
	"github.com/lucid-project/base-images/lucidbase/verify"
)

// graph is one platform of a job, ready to be solved.
type graph struct {
	spec       lucidbase.Spec
	platform   ocispecs.Platform
	build      ocispecs.Platform // of the node
	definition *pb.Definition
	config     []byte
	inputs     []lucidbase.Input
	contract   verify.Contract
	notes      []string
	locals     locals
	// image and noCache are the job's.
	image   string
	noCache bool
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
			errs[i] = named.read(ctx, made[i].Graph)
		}
	}
	for i := range job.Platforms {
		if errs[i] == nil {
			graphs[i], errs[i] = newGraph(ctx, job.Spec, made[i], named)
		}
	}
	return graphs, once(errs)
}

// once joins errors; what is the same for several platforms is said once.
func once(errs []error) error {
	said := map[string]bool{}
	return errors.Join(slices.DeleteFunc(errs, func(err error) bool {
		if err == nil || said[err.Error()] {
			return true
		}
		said[err.Error()] = true
		return false
	})...)
}

// newGraph readies a graph to be solved, with the directories that the job's graphs name.
func newGraph(ctx context.Context, spec lucidbase.Spec, g platformGraph, named locals) (graph, error) {
	target := lucidbase.FormatPlatform(g.platforms.Target)
	contract, err := contractOf(g.Graph, g.platforms.Target)
	if err != nil {
		return graph{}, err
	}
	def, err := g.State.Marshal(ctx, llb.Platform(g.platforms.Target), llb.LocalUniqueID(named.digest()))
	if err != nil {
		return graph{}, fmt.Errorf("marshalling the graph for %s: %w", target, err)
	}
	config, err := json.Marshal(g.ImageConfig())
	if err != nil {
		return graph{}, fmt.Errorf("encoding the config for %s: %w", target, err)
	}
	return graph{
		spec:       spec,
		platform:   g.platforms.Target,
		build:      g.platforms.Build,
		definition: def.ToPB(),
		config:     config,
		inputs:     g.Inputs,
		contract:   contract,
		notes:      g.Notes,
		locals:     named,
	}, nil
}

// on returns the graph for a node of another platform: its steps are others, what they
// make is the same.
func (e *Engine) on(ctx context.Context, g graph, build ocispecs.Platform) (graph, error) {
	if samePlatform(g.build, build) {
		return g, nil
	}
	made, err := e.specGraph(ctx, g.spec, lucidbase.Platforms{Target: g.platform, Build: build})
	if err != nil {
		return graph{}, err
	}
	other, err := newGraph(ctx, g.spec, made, g.locals)
	if err != nil {
		return graph{}, err
	}
	other.image, other.noCache = g.image, g.noCache
	return other, e.offer(ctx, []graph{other})
}

// ignoreCache returns a definition whose every step runs again.
func ignoreCache(def *pb.Definition) *pb.Definition {
	def = def.CloneVT()
	for _, meta := range def.Metadata {
		meta.IgnoreCache = true
	}
	return def
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
func (e *Engine) solve(ctx context.Context, g graph, n *node, conn *connection, d *display) (digest.Digest, error) {
	g, err := e.on(ctx, g, n.platform)
	if err != nil {
		return "", err
	}
	if g.noCache {
		g.definition = ignoreCache(g.definition)
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
	}
	e.shareCache(g.image, g, &opt)
	made, err := e.solveOnce(ctx, g, n, conn, d, opt)
	var failed solveError
	if len(opt.CacheImports) > 0 && ctx.Err() == nil && errors.As(err, &failed) && failed.mayBeOfCache() {
		// Such a cache is a help: what it promises and does not hold can be made here.
		// The node's own has it on that promise by now.
		failed.forget()
		e.note("building without the caches to take steps from: " + oneLine(failed.Error()))
		opt.CacheImports, g.definition = nil, ignoreCache(g.definition)
		made, err = e.solveOnce(ctx, g, n, conn, d, opt)
	}
	return made, err
}

// mayBeOfCache reports whether neither a step nor the node's end is the cause, and the
// node can go on.
func (e solveError) mayBeOfCache() bool {
	return !errors.Is(e.error, ErrSilentCache) && !errors.Is(e.error, errSilentWrite) && !execFailed.MatchString(e.Error()) && grpcerrors.Code(e) != codes.Unavailable
}

func (e *Engine) solveOnce(ctx context.Context, g graph, n *node, conn *connection, d *display, opt client.SolveOpt) (digest.Digest, error) {
	// What it asks for is compared with what it gets. BuildKit's client writes to the map.
	opt.FrontendAttrs = map[string]string{"platform": lucidbase.FormatPlatform(g.platform)}
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	silence := e.watchCaches(g, n, opt, end)
	status, forget := d.solve(silence.note)
	var lacking error // of this type: what the client returns is text
	res, err := conn.client.Build(ctx, opt, "lucidbase", func(ctx context.Context, c gateway.Client) (*gateway.Result, error) {
		if lacking = checkCaps(c.BuildOpts().LLBCaps, g.definition); lacking != nil {
			return nil, lacking
		}
		return g.solve(ctx, c)
	}, status)
	silence.stop()
	if cause := context.Cause(ctx); err != nil && silentCache(cause) {
		err = cause
	}
	if lacking != nil {
		return "", fmt.Errorf("%s: %w", n.name, lacking)
	}
	if err != nil {
		return "", solveError{n, conn, forget, err}
	}
	return digest.Parse(res.ExporterResponse[exptypes.ExporterImageDigestKey])
}

// solve returns the graph's files with what the exporter has to know of the image.
func (g graph) solve(ctx context.Context, c gateway.Client) (*gateway.Result, error) {
	req := gateway.SolveRequest{Definition: g.definition, Evaluate: true}
	if imports := c.BuildOpts().Opts["cache-imports"]; imports != "" { // BuildKit's client puts them there
		if err := json.Unmarshal([]byte(imports), &req.CacheImports); err != nil {
			return nil, fmt.Errorf("reading the caches to take steps from: %w", err)
		}
	}
	solved, err := c.Solve(ctx, req)
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

// checkCaps reports what a BuildKit lacks to solve a graph before anything is built.
func checkCaps(caps apicaps.CapSet, def *pb.Definition) error {
	if err := caps.Supports(pb.CapMergeOp); err != nil {
		return fmt.Errorf("%w: %w", ErrNoMerge, err)
	}
	var errs []error
	seen := map[string]bool{}
	for _, meta := range def.Metadata {
		for name := range meta.Caps {
			if seen[name] {
				continue
			}
			seen[name] = true
			if err := caps.Supports(apicaps.CapID(name)); err != nil {
				errs = append(errs, err)
			}
		}
	}
	if len(errs) == 0 {
		return nil
	}
	slices.SortFunc(errs, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return fmt.Errorf("%w: %s", ErrTooOld, oneLine(errors.Join(errs...).Error()))
}
