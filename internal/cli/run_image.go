package cli

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"

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
	img, err = r.choose(subjects[0].Index)
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
		Platforms: []ocispecs.Platform{r.target},
		To:        engine.Keep(im.name),
	})
	if err != nil {
		return nil, err
	}
	return r.choose(res.Index)
}

// setTarget finds the platform that is asked for, or else this machine's.
func (r *runFlags) setTarget() (err error) {
	r.target = ocispecs.Platform{OS: "linux", Architecture: runtime.GOARCH}
	if r.platform == "" {
		return nil
	}
	if r.target, err = lucidbase.ParsePlatform(r.platform); err != nil {
		return usagef("--platform: %w", err)
	}
	return nil
}

// choose returns the image for the platform that was asked for; where none was, that for
// this machine's, or else the first.
func (r *runFlags) choose(index v1.ImageIndex) (v1.Image, error) {
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
	i := slices.IndexFunc(images, func(d v1.Descriptor) bool {
		return d.Platform != nil && d.Platform.Architecture == r.target.Architecture
	})
	if i < 0 && r.platform != "" {
		return nil, fmt.Errorf("it has no image for %s, but for %s", r.platform, platformNames(images))
	}
	return index.Image(images[max(0, i)].Digest)
}

func platformNames(images []v1.Descriptor) string {
	var all []string
	for _, d := range images {
		if d.Platform == nil {
			all = append(all, "an unnamed one")
			continue
		}
		all = append(all, d.Platform.String())
	}
	return strings.Join(all, ", ")
}
