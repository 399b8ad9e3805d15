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

// Resolve finds out what the upstream images hold that a spec's locks name by
// digest alone, for every platform; none means lucidbase.AllPlatforms. It returns
// a Spec that has its graphs and asks nothing again. Build does the same by itself:
// to do it before shows whether the images can be reached, as one that cannot is
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
		r.graphs[graphKey(target, e.nodeFor(target).platform)] = graphs[i]
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

// specGraphs returns a spec's graph or error for each platform.
func (e *Engine) specGraphs(ctx context.Context, spec lucidbase.Spec, platforms []ocispecs.Platform) ([]lucidbase.Graph, []error) {
	graphs, errs := make([]lucidbase.Graph, len(platforms)), make([]error, len(platforms))
	var wg sync.WaitGroup
	for i, target := range platforms {
		wg.Go(func() { graphs[i], errs[i] = e.specGraph(ctx, spec, target) })
	}
	wg.Wait()
	return graphs, errs
}

// specGraph returns a spec's graph, after what it has to know of upstream images
// was found out.
func (e *Engine) specGraph(ctx context.Context, spec lucidbase.Spec, target ocispecs.Platform) (lucidbase.Graph, error) {
	p := lucidbase.Platforms{Target: target, Build: e.nodeFor(target).platform, Images: lucidbase.Images{}}
	for {
		g, err := spec.Graph(p)
		var ask *lucidbase.UnresolvedImageError
		if !errors.As(err, &ask) || known(p.Images, ask) {
			return g, err
		}
		platform := lucidbase.FormatPlatform(ask.Platform)
		found, err := e.resolveImage(ctx, ask)
		if err != nil {
			return lucidbase.Graph{}, err
		}
		im := p.Images[ask.Image.Digest]
		if im.Platforms == nil {
			im = ask.Image.Pin()
			im.Platforms = map[string]lock.ImagePlatform{}
		}
		im.Platforms[platform] = found
		p.Images[ask.Image.Digest] = im
	}
}

// known reports whether a spec asks for what it was told.
func known(images lucidbase.Images, ask *lucidbase.UnresolvedImageError) bool {
	_, ok := images[ask.Image.Digest].Platforms[lucidbase.FormatPlatform(ask.Platform)]
	return ok
}

// resolveImage asks for the same thing once in the engine's life.
func (e *Engine) resolveImage(ctx context.Context, ask *lucidbase.UnresolvedImageError) (lock.ImagePlatform, error) {
	platform := lucidbase.FormatPlatform(ask.Platform)
	key := fmt.Sprint(ask.Image.Digest, platform, ask.Debian.Platforms[platform].Rootfs.Digest)
	if found, ok := e.resolved.Load(key); ok {
		return found.(lock.ImagePlatform), nil
	}
	found, err := e.upstream.Resolve(ctx, ask.Image, ask.Debian, ask.Platform)
	if err == nil {
		e.resolved.Store(key, found)
	}
	return found, err
}

// makeLayer writes an input's layer, from packages or from an upstream image.
func (e *Engine) makeLayer(ctx context.Context, in lucidbase.Input, w io.Writer) (lock.Layer, error) {
	if slices.Contains([]lucidbase.InputKind{supply.ImageRootfs, supply.ImageHeaders}, in.Kind) {
		return e.upstream.Layer(ctx, in, w)
	}
	return e.archives.Layer(ctx, in, w)
}
