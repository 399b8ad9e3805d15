package variants

import (
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/lucid-project/base-images/lucidbase/verify"
)

// contract is what the locks say about the finished image.
func (d base) contract(sys system, groups []group) (verify.Contract, error) {
	rootfs, err := v1.NewHash(sys.root.Layer.Digest)
	c := verify.Contract{
		Layers:   []v1.Hash{rootfs},
		Packages: map[string]string{}, Distributions: map[string]string{},
		Labels:  sys.allLabels(),
		Waivers: d.Waivers,
	}
	for _, p := range sys.root.Layer.Packages {
		c.Packages[p.Name] = p.Version
	}
	for _, p := range sys.kept {
		c.Packages[p.Name] = p.Version
	}
	for _, g := range groups {
		for _, r := range g.used {
			c.Distributions[r.Name] = r.Version
		}
	}
	return c, err
}
