// Package resolve makes locks from the network: Debian's signed indexes, checked
// against the archive keys that are committed here, and Python's index, asked by
// uv in a stage of an engine.
package resolve

import (
	"context"
	"fmt"
	"io"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/moby/buildkit/client/llb"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/lucid-project/base-images/internal/supply"
	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/lock"
	"github.com/lucid-project/base-images/lucidbase/rootfs/alpine"
	"github.com/lucid-project/base-images/lucidbase/rootfs/debian"
)

// Resolver is what locks are resolved with; engine.Engine.Resolver returns one.
type Resolver struct {
	Runner
	// Archives are where Debian's indexes and packages come from.
	Archives *debian.Archives
	// Registries are where upstream images come from.
	Registries *alpine.Registries
	// Cache is the directory in which Relock keeps locks.
	Cache string
}

// Runner is what asks Python's index: stages of an engine.
type Runner interface {
	// Platform is the one that the stages run on.
	Platform() ocispecs.Platform
	// ReadFiles builds a graph that takes the inputs, and returns the named files of
	// its root directory.
	ReadFiles(ctx context.Context, state llb.State, inputs []lucidbase.Input, names []string) (map[string][]byte, error)
	// Prepare makes inputs before a build asks for them. A locked file that is
	// nowhere to be had is debian.ErrGone.
	Prepare(ctx context.Context, inputs []lucidbase.Input) error
}

// Set resolves every lock afresh, except that of the upstream image: see Image.
func Set(ctx context.Context, r Resolver, in Lists) (*lock.Set, error) {
	set := &lock.Set{}
	var platforms []string
	for _, p := range lucidbase.AllPlatforms() {
		platforms = append(platforms, lucidbase.FormatPlatform(p))
	}
	var err error
	if set.Debian, err = Debian(ctx, in.Debian, r.Archives, platforms, time.Now()); err != nil {
		return nil, err
	}
	if err := makeLayers(ctx, r.Archives, set.Debian); err != nil {
		return nil, err
	}
	if len(in.Debian.Dev) > 0 {
		s := systemLock{base: set.Debian, packages: in.Debian.Dev, without: in.Debian.Without, dev: true}
		if set.Dev, _, err = s.lock(ctx, r.Archives); err != nil {
			return nil, err
		}
	}
	if err := Python(ctx, r, set, in); err != nil {
		return nil, err
	}
	return set, set.CheckTiers()
}

// makeLayers fills in the digest and size of every layer by making it.
func makeLayers(ctx context.Context, archives *debian.Archives, d lock.Debian) error {
	made := make([]lock.DebianPlatform, len(lucidbase.AllPlatforms()))
	eg, ctx := errgroup.WithContext(ctx)
	for i, p := range lucidbase.AllPlatforms() {
		layer := func(in lucidbase.Input, to *lock.Layer) {
			eg.Go(func() (err error) {
				*to, err = archives.Layer(ctx, in, io.Discard)
				return err
			})
		}
		root, builder := supply.Debian(d, p)
		layer(root, &made[i].Rootfs)
		layer(builder, &made[i].Builder)
		if headers := d.Platforms[lucidbase.FormatPlatform(p)].Headers; len(headers.Packages) > 0 {
			layer(lucidbase.Input{Kind: supply.Headers, Platform: p, Layer: headers, Suites: d.Suites}, &made[i].Headers)
		}
	}
	if err := eg.Wait(); err != nil {
		return fmt.Errorf("making the layers of the new lock: %w", err)
	}
	for i, p := range lucidbase.AllPlatforms() {
		d.Platforms[lucidbase.FormatPlatform(p)] = made[i]
	}
	return nil
}
