package variants

import (
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/lucid-project/base-images/lucidbase/verify"
)

// contract is what the locks say about the finished image.
func (d base) contract(im image) (verify.Contract, error) {
	rootfs, err := v1.NewHash(im.root.Layer.Digest)
	c := verify.Contract{
		Layers:        []v1.Hash{rootfs},
		Packages:      map[string]string{},
		Distributions: im.installed,
		Labels:        im.labels,
		Waivers:       d.Waivers,
		Dev:           d.dev,
	}
	for _, p := range slices.Concat(im.root.Layer.Packages, im.added) {
		c.Packages[p.Name] = p.Version
	}
	for _, p := range im.kept {
		c.Packages[p.Name] = p.Version
	}
	return c, err
}
