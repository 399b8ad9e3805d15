package cli

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/engine"
	"github.com/lucid-project/base-images/variants"
)

// image builds an image of ours, or opens what verify would.
func (r *runFlags) image(ctx context.Context, s Streams, arg string) (img v1.Image, release func() error, err error) {
	release = func() error { return nil }
	found, err := r.file.find([]string{arg})
	if err != nil && (r.file.path != "" || r.file.own != nil) {
		return nil, release, err
	}
	if err == nil {
		img, err = r.build(ctx, s, found[0])
		return img, release, err
	}
	v := verifyFlags{cacheDir: r.cacheDir, caBundle: r.caBundle, registries: r.registries, notes: s.Err}
	subjects, release, err := v.open(ctx, arg)
	if err != nil {
		return nil, release, imageError{err}
	}
	if len(subjects) > 1 {
		return nil, release, fmt.Errorf("%s holds %d images", arg, len(subjects))
	}
	img, err = ofMachine(subjects[0].Index)
	if err != nil {
		return nil, release, fmt.Errorf("%s: %w", arg, err)
	}
	return img, release, nil
}

func (r *runFlags) build(ctx context.Context, s Streams, im image) (v1.Image, error) {
	eng, err := r.open(ctx, s)
	if err != nil {
		return nil, err
	}
	defer eng.Close()
	res, err := eng.Build(ctx, engine.Job{
		Spec:      im.spec(variants.Options{}),
		Platforms: []ocispecs.Platform{{OS: "linux", Architecture: runtime.GOARCH}},
		To:        engine.Keep(im.name),
	})
	if err != nil {
		return nil, err
	}
	return ofMachine(res.Index)
}

// ofMachine returns the image for this machine's CPU, or else the first.
func ofMachine(index v1.ImageIndex) (v1.Image, error) {
	list, err := index.IndexManifest()
	if err != nil {
		return nil, err
	}
	images := slices.DeleteFunc(slices.Clone(list.Manifests), func(d v1.Descriptor) bool {
		return !d.MediaType.IsImage() || (d.Platform != nil && d.Platform.OS != lucidbase.LinuxAMD64.OS) // an attestation is of no system
	})
	if len(images) == 0 {
		return nil, errors.New("it has no image for Linux")
	}
	i := slices.IndexFunc(images, func(d v1.Descriptor) bool { return d.Platform != nil && d.Platform.Architecture == runtime.GOARCH })
	return index.Image(images[max(0, i)].Digest)
}
