package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/lucid-project/base-images/internal/supply"
	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/lock"
)

// Resolve finds out what the upstream images hold that a spec's locks name by digest
// alone, for every platform; none means lucidbase.AllPlatforms. It returns a Spec that
// has its graphs and asks nothing again. Build does the same by itself; Resolve before
// it shows whether the images can be reached: for one that cannot, the error is
// alpine.ErrNoImage.
func (e *Engine) Resolve(ctx context.Context, spec lucidbase.Spec, platforms []ocispecs.Platform) (lucidbase.Spec, error) {
	if len(platforms) == 0 {
		platforms = lucidbase.AllPlatforms()
	}
	graphs, errs := e.specGraphs(ctx, spec, platforms)
	// The same one every time, as two platforms often fail for one reason.
	if i := slices.IndexFunc(errs, func(err error) bool { return err != nil }); i >= 0 {
		return nil, errs[i]
	}
	r := resolved{spec, map[string]lucidbase.Graph{}}
	for i, target := range platforms {
		r.graphs[graphKey(target, graphs[i].platforms.Build)] = graphs[i].Graph
	}
	return r, nil
}

// resolved is a Spec that has some of its graphs.
type resolved struct {
	lucidbase.Spec
	graphs map[string]lucidbase.Graph
}

func graphKey(target, build ocispecs.Platform) string {
	return lucidbase.FormatPlatform(target) + " on " + lucidbase.FormatPlatform(build)
}

// Graph returns the graph that was made, if there is one for the platforms.
func (r resolved) Graph(p lucidbase.Platforms) (lucidbase.Graph, error) {
	if made, ok := r.graphs[graphKey(p.Target, p.Build)]; ok {
		return made, nil
	}
	return r.Spec.Graph(p)
}

// platformGraph is a graph and what it is for.
type platformGraph struct {
	lucidbase.Graph
	platforms lucidbase.Platforms
}

// specGraphs returns a spec's graph or error for each platform.
func (e *Engine) specGraphs(ctx context.Context, spec lucidbase.Spec, platforms []ocispecs.Platform) ([]platformGraph, []error) {
	graphs, errs := make([]platformGraph, len(platforms)), make([]error, len(platforms))
	var wg sync.WaitGroup
	for i, target := range platforms {
		wg.Go(func() {
			graphs[i], errs[i] = e.specGraph(ctx, spec, lucidbase.Platforms{Target: target, Build: e.nodeFor(target).platform})
		})
	}
	wg.Wait()
	return graphs, errs
}

// specGraph returns a spec's graph, after what it has to know of upstream images
// was found out.
func (e *Engine) specGraph(ctx context.Context, spec lucidbase.Spec, p lucidbase.Platforms) (platformGraph, error) {
	p.Upstreams = lucidbase.Upstreams{}
	for {
		g, err := spec.Graph(p)
		var ask *lucidbase.UnresolvedUpstreamError
		if !errors.As(err, &ask) || known(p.Upstreams, ask) {
			return platformGraph{g, p}, err
		}
		platform := lucidbase.FormatPlatform(ask.Platform)
		found, err := e.resolveImage(ctx, ask)
		if err != nil {
			return platformGraph{}, err
		}
		im := p.Upstreams[ask.Upstream.Digest]
		if im.Platforms == nil {
			im = ask.Upstream.Pin()
			im.Platforms = map[string]lock.UpstreamPlatform{}
		}
		im.Platforms[platform] = found
		p.Upstreams[ask.Upstream.Digest] = im
	}
}

// known reports whether a spec asks again for an image that it has.
func known(images lucidbase.Upstreams, ask *lucidbase.UnresolvedUpstreamError) bool {
	_, ok := images[ask.Upstream.Digest].Platforms[lucidbase.FormatPlatform(ask.Platform)]
	return ok
}

// resolveImage asks for the same thing once in the engine's life.
func (e *Engine) resolveImage(ctx context.Context, ask *lucidbase.UnresolvedUpstreamError) (lock.UpstreamPlatform, error) {
	platform := lucidbase.FormatPlatform(ask.Platform)
	key := fmt.Sprint(ask.Upstream.Digest, platform, ask.Debian.Platforms[platform].Rootfs.Digest)
	if found, ok := e.resolved.Load(key); ok {
		return found.(lock.UpstreamPlatform), nil
	}
	found, err := e.upstream.Resolve(ctx, ask.Upstream, ask.Debian, ask.Platform)
	if err == nil {
		e.resolved.Store(key, found)
	}
	return found, err
}

// makeLayer writes an input's layer, from packages or from an upstream image.
func (e *Engine) makeLayer(ctx context.Context, in lucidbase.Input, w io.Writer) (lock.Layer, error) {
	if slices.Contains([]lucidbase.InputKind{supply.ImageRootfs, supply.ImageHeaders, supply.ImageDev}, in.Kind) {
		return e.upstream.Layer(ctx, in, w)
	}
	return e.archives.Layer(ctx, in, w)
}
