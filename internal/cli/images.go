package cli

import (
	"slices"
	"strings"

	"github.com/moby/buildkit/util/suggest"

	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/lock"
	"github.com/lucid-project/base-images/variants"
)

// image is what the command builds under a name.
type image struct {
	name string
	spec func(variants.Options) lucidbase.Spec
}

// baseImage is one of the library's own.
type baseImage struct {
	image
	alias string
	// tier is the set of packages that it has, musl whether it is Alpine's.
	tier lock.Tier
	musl bool
	// dev says that it is a twin for build stages: one builds it by its name alone.
	dev bool
}

var images = []baseImage{
	{named("base"), "standard", lock.Standard, false, false},
	{named("alpine-base"), "alpine", lock.Minimal, true, false},
	{named("bare-base"), "bare", lock.Bare, false, false},
	{named("python-base"), "python", lock.Python, false, false},
	{named("alpine-base-dev"), "alpine-dev", lock.Minimal, true, true},
	{named("bare-base-dev"), "bare-dev", lock.Bare, false, true},
	{named("base-dev"), "standard-dev", lock.Standard, false, true},
	{named("python-base-dev"), "python-dev", lock.Python, false, true},
}

// named is a base image of package variants.
func named(name string) image {
	return image{name, func(o variants.Options) lucidbase.Spec { return variants.Named(name, o) }}
}

// findImages returns the named base images, each once, or all but the twins if there is
// no name.
func findImages(names []string) ([]baseImage, error) {
	if len(names) == 0 {
		return slices.DeleteFunc(slices.Clone(images), func(im baseImage) bool { return im.dev }), nil
	}
	var found []baseImage
	for _, name := range names {
		i := slices.IndexFunc(images, func(im baseImage) bool { return im.name == name || im.alias == name })
		if i < 0 {
			return nil, usagef("unknown image %q%s", name, nearest(name))
		}
		if !slices.ContainsFunc(found, func(im baseImage) bool { return im.name == images[i].name }) {
			found = append(found, images[i])
		}
	}
	return found, nil
}

// nearest names the image that was meant, or all of them.
func nearest(name string) string {
	var names, all []string
	for _, im := range images {
		names = append(names, im.name)
		all = append(all, im.name, im.alias)
	}
	if near, ok := suggest.Search(name, all, true); ok {
		return "; did you mean " + near + "?"
	}
	return "; the images are " + strings.Join(names, ", ")
}

// targets lists those of lock.WheelTargets that the image takes.
func (im baseImage) targets() []string {
	return slices.DeleteFunc(lock.WheelTargets(), func(t string) bool { return strings.HasPrefix(t, "musl") != im.musl })
}
