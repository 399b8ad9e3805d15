package resolve

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sync/errgroup"

	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/lock"
	"github.com/lucid-project/base-images/lucidbase/rootfs/alpine"
)

// Image resolves an upstream image afresh: the digest that its tag names today,
// and what it holds on each platform. Where nobody knows the tag, the locked digest
// stays. An image that cannot be had is alpine.ErrNoImage: the old lock is as good
// as before.
func Image(ctx context.Context, r Resolver, old lock.Image, d lock.Debian) (lock.Image, error) {
	im := old.Pin()
	latest, err := r.Registries.Latest(ctx, im)
	switch {
	case err == nil:
		im.Digest = latest
	case !errors.Is(err, alpine.ErrNoImage):
		return lock.Image{}, err
	}
	found := make([]lock.ImagePlatform, len(lucidbase.AllPlatforms()))
	eg, ctx := errgroup.WithContext(ctx)
	for i, p := range lucidbase.AllPlatforms() {
		eg.Go(func() (err error) {
			found[i], err = r.Registries.Resolve(ctx, im, d, p)
			return err
		})
	}
	if err := eg.Wait(); err != nil {
		return lock.Image{}, err
	}
	im.Platforms = map[string]lock.ImagePlatform{}
	for i, p := range lucidbase.AllPlatforms() {
		im.Platforms[lucidbase.FormatPlatform(p)] = found[i]
	}
	return im, nil
}

func imageChanges(old, now lock.Image) []string {
	return imageItems(old).diff("alpine", imageItems(now))
}

// imageItems are an image's digest, interpreter, packages and layers.
func imageItems(im lock.Image) table {
	t := table{}
	if im.Digest == "" {
		return t
	}
	t.add("image", "", item{version: im.Digest, content: im.Reference, what: "of another name"})
	for platform, p := range im.Platforms {
		t.add("python", platform, item{version: p.Python, content: p.Manifest, what: "of another manifest"})
		for _, pkg := range p.Kept {
			t.add(pkg.Name, platform, item{version: pkg.Version})
		}
		for _, pkg := range p.Rootfs.Packages {
			t.add("debian "+pkg.Name, platform, item{version: pkg.Version, content: fmt.Sprint(pkg), what: "another file of the same version"})
		}
		t.add("rootfs layer", platform, layerItem(p.Rootfs))
		t.add("headers layer", platform, layerItem(p.Headers))
	}
	return t
}
