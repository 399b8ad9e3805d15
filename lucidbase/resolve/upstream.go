package resolve

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/lock"
	"github.com/lucid-project/base-images/lucidbase/rootfs/alpine"
)

// Upstream resolves an upstream image afresh: the digest that its tag names today, and
// what it holds on each platform. Where nobody knows the tag, the locked digest stays.
// For an image that cannot be had the error is alpine.ErrNoImage: the old lock is as
// good as before.
func Upstream(ctx context.Context, r Resolver, old lock.Upstream, d lock.Debian) (lock.Upstream, error) {
	im := old.Pin()
	latest, err := r.Registries.Latest(ctx, im)
	switch {
	case err == nil:
		im.Digest = latest
	case !errors.Is(err, alpine.ErrNoImage):
		return lock.Upstream{}, err
	}
	found := make([]lock.UpstreamPlatform, len(lucidbase.AllPlatforms()))
	eg, ctx := errgroup.WithContext(ctx)
	for i, p := range lucidbase.AllPlatforms() {
		eg.Go(func() (err error) {
			found[i], err = r.Registries.Resolve(ctx, im, d, p)
			return err
		})
	}
	if err := eg.Wait(); err != nil {
		return lock.Upstream{}, err
	}
	im.Platforms = map[string]lock.UpstreamPlatform{}
	for i, p := range lucidbase.AllPlatforms() {
		im.Platforms[lucidbase.FormatPlatform(p)] = found[i]
	}
	return im, nil
}

func imageChanges(old, now lock.Upstream) []string {
	return imageItems(old).diff("alpine", imageItems(now))
}

// imageItems are an image's digest, interpreter, packages and layers.
func imageItems(im lock.Upstream) table {
	t := table{}
	if im.Digest == "" {
		return t
	}
	t.add("image", "", item{version: im.Digest, content: im.Reference, what: "of another name"})
	for platform, p := range im.Platforms {
		t.add("python", platform, item{version: p.Python, content: p.Manifest, what: "of another manifest"})
		for _, pkg := range slices.Concat(p.Kept, p.Dev.Kept) {
			t.add(pkg.Name, platform, item{version: pkg.Version})
		}
		for _, pkg := range p.Rootfs.Packages {
			t.add("debian "+pkg.Name, platform, item{version: pkg.Version, content: fmt.Sprint(pkg), what: "another file of the same version"})
		}
		t.add("rootfs layer", platform, layerItem(p.Rootfs))
		t.add("headers layer", platform, layerItem(p.Headers))
		t.add("dev layer", platform, layerItem(p.Dev.Added))
	}
	return t
}
