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

	"github.com/lucid-project/base-images/internal/supply"
	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/lock"
	"github.com/lucid-project/base-images/lucidbase/rootfs/debian"
)

// Set resolves every lock afresh. now decides whether an index has expired.
func Set(ctx context.Context, run Runner, archives *debian.Archives, in Lists, now time.Time) (*lock.Set, error) {
	set := &lock.Set{}
	var platforms []string
	for _, p := range lucidbase.AllPlatforms() {
		platforms = append(platforms, lucidbase.FormatPlatform(p))
	}
	var err error
	if set.Debian, err = Debian(ctx, in.Debian, archives, platforms, now); err != nil {
		return nil, err
	}
	if err := makeLayers(ctx, archives, set.Debian); err != nil {
		return nil, err
	}
	if err := Python(ctx, run, set, in); err != nil {
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
