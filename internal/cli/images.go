package cli

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/lock"
	"github.com/lucid-project/base-images/variants"
)

// image is what the command calls a variant.
type image struct {
	name  string
	alias string
	// tier is the set of packages that it has, musl whether it is Alpine's.
	tier lock.Tier
	musl bool
	spec func(variants.Options) lucidbase.Spec
}

var images = []image{
	{"base", "standard", lock.Standard, false, func(o variants.Options) lucidbase.Spec { return variants.Standard(o) }},
	{"alpine-base", "alpine", lock.Minimal, true, func(o variants.Options) lucidbase.Spec { return variants.Alpine(o) }},
	{"bare-base", "bare", lock.Bare, false, func(o variants.Options) lucidbase.Spec { return variants.Bare(o) }},
	{"python-base", "python", lock.Python, false, func(o variants.Options) lucidbase.Spec { return variants.Python(o) }},
}

// findImages returns the named images, each once, or all if there is no name.
func findImages(names []string) ([]image, error) {
	if len(names) == 0 {
		return images, nil
	}
	var found []image
	for _, name := range names {
		i := slices.IndexFunc(images, func(im image) bool { return im.name == name || im.alias == name })
		if i < 0 {
			return nil, usagef("unknown image %q%s", name, nearest(name))
		}
		if !slices.ContainsFunc(found, func(im image) bool { return im.name == images[i].name }) {
			found = append(found, images[i])
		}
	}
	return found, nil
}

// nearest names the image that was meant, or all of them.
func nearest(name string) string {
	all := &cobra.Command{SuggestionsMinimumDistance: 3}
	var names []string
	for _, im := range images {
		for _, n := range []string{im.name, im.alias} {
			all.AddCommand(&cobra.Command{Use: n, Run: func(*cobra.Command, []string) {}})
		}
		names = append(names, im.name)
	}
	if near := all.SuggestionsFor(name); len(near) > 0 {
		return "; did you mean " + near[0] + "?"
	}
	return "; the images are " + strings.Join(names, ", ")
}

// targets lists those of lock.WheelTargets that the image takes.
func (im image) targets() []string {
	return slices.DeleteFunc(lock.WheelTargets(), func(t string) bool { return strings.HasPrefix(t, "musl") != im.musl })
}
