package variants

import (
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/lock"
	"github.com/lucid-project/base-images/lucidbase/verify"
)

// contract is what the locks say about the finished image.
func (d Debian) contract(root lucidbase.Input, locks *lock.Set) (verify.Contract, error) {
	rootfs, err := v1.NewHash(root.Layer.Digest)
	if err != nil {
		return verify.Contract{}, fmt.Errorf("%s: %s: %w", d.Name, root, err)
	}
	c := verify.Contract{
		Packages: map[string]string{},
		Labels:   map[string]string{LockDigestLabel: locks.Digest(d.Tier, d.Packages)},
		Layers:   []v1.Hash{rootfs},
		Waivers:  d.Waivers,
	}
	for _, p := range root.Layer.Packages {
		c.Packages[p.Name] = p.Version
	}
	for _, reqs := range []lock.Requirements{locks.Python[d.Tier], d.Packages} {
		for _, r := range reqs {
			c.Distributions = append(c.Distributions, verify.Locked{Name: lock.NormalizeName(r.Name), Version: r.Version, Marker: r.Marker})
		}
	}
	return c, nil
}
