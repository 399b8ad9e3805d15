package resolve

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/lucid-project/base-images/lucidbase/lock"
)

// Closure resolves the named packages of Debian 12 and all that they depend on, for one
// platform ("linux/amd64"): what "apt-get install --no-install-recommends" would add to
// a minimal system, with that system, as any package may use what is essential. The
// suites are those of the images' own lock, newest version first. The layer's Digest and
// Size are zero: they are known once it is made.
func Closure(ctx context.Context, source Fetcher, packages []string, platform string, now time.Time) (lock.Layer, []lock.Suite, error) {
	layer, suites, err := resolveClosure(ctx, source, packages, platform, now)
	if err != nil {
		return lock.Layer{}, nil, fmt.Errorf("resolving Debian packages: %w", err)
	}
	return layer, suites, nil
}

func resolveClosure(ctx context.Context, source Fetcher, packages []string, platform string, now time.Time) (lock.Layer, []lock.Suite, error) {
	arch := architectures[platform]
	if arch == "" {
		return lock.Layer{}, nil, fmt.Errorf("platform %s: Debian has no packages for it", platform)
	}
	keys, err := archiveKeys()
	if err != nil {
		return lock.Layer{}, nil, err
	}
	lists, err := DefaultLists()
	if err != nil {
		return lock.Layer{}, nil, err
	}
	r := debianResolver{in: DebianList{Suites: lists.Debian.Suites}, source: source, keys: keys, now: now}
	p, err := r.fetchPool(ctx, arch)
	if err != nil {
		return lock.Layer{}, nil, err
	}
	chosen, err := p.closure(slices.Concat(packages, p.essential))
	return layerOf(chosen), p.suites, err
}

// closure returns the packages of the given names and all that they depend on, sorted by
// name. Of several alternatives it takes the first that there is, unless another one is
// needed anyway.
func (p *pool) closure(names []string) ([]candidate, error) {
	chosen, errs := (&addition{pool: p}).all(names)
	return chosen, errors.Join(errs...)
}
