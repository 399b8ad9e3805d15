package resolve

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/lucid-project/base-images/lucidbase/lock"
)

// Fetcher serves Debian's archives as their mirrors have them now: a
// *debian.Archives.
type Fetcher interface {
	// Fetch returns the file at path, relative to the archive's root, from the first
	// mirror whose file has at most limit bytes and passes verify.
	Fetch(ctx context.Context, archive, path string, limit int64, verify func([]byte) error) ([]byte, error)
}

// Debian resolves the listed packages to the newest version in any of the
// suites, for each platform ("linux/amd64"). The suites' indexes must be signed
// with a key of their archive and not be expired at now; each dependency of a
// listed package must be listed or excluded. Digest and Size of the layers stay
// zero: they are known once a layer is made.
func Debian(ctx context.Context, in DebianList, source Fetcher, platforms []string, now time.Time) (lock.Debian, error) {
	keys, err := archiveKeys()
	if err != nil {
		return lock.Debian{}, err
	}
	r := debianResolver{in: in, source: source, keys: keys, now: now}
	d, err := r.resolve(ctx, platforms)
	if err != nil {
		return lock.Debian{}, fmt.Errorf("resolving Debian packages: %w", err)
	}
	return d, nil
}

type debianResolver struct {
	in     DebianList
	source Fetcher
	keys   map[string][]archiveKey // by archive
	now    time.Time
}

// architectures maps OCI's names of platforms to Debian's.
var architectures = map[string]string{"linux/amd64": "amd64", "linux/arm64": "arm64"}

func (r debianResolver) resolve(ctx context.Context, platforms []string) (lock.Debian, error) {
	for _, platform := range platforms {
		if architectures[platform] == "" {
			return lock.Debian{}, fmt.Errorf("platform %s: Debian has no packages for it", platform)
		}
	}
	suites, found, err := r.fetch(ctx, platforms)
	if err != nil {
		return lock.Debian{}, err
	}
	d := lock.Debian{Suites: suites, Platforms: map[string]lock.DebianPlatform{}}
	exclusions := newExclusions(r.in.Exclude)
	problems := problems{}
	for i, platform := range platforms {
		newest := newestOf(found[i])
		root, missing := pick(newest, r.in.Rootfs)
		builder, missingToo := pick(newest, r.in.Builder)
		headers, missingHeaders := pick(newest, r.in.Headers)
		errs := slices.Concat(missing, missingToo, missingHeaders)
		if len(errs) == 0 {
			// An image has no builder packages, so the first list must do alone.
			errs = slices.Concat(
				checkDepends(root, root, exclusions),
				checkDepends(builder, slices.Concat(root, builder), exclusions),
				checkDepends(headers, slices.Concat(root, headers), exclusions))
		}
		problems.add(platform, errs)
		d.Platforms[platform] = lock.DebianPlatform{Rootfs: layerOf(root), Builder: layerOf(builder)}
		if len(headers) > 0 {
			d.Platforms[platform] = lock.DebianPlatform{Rootfs: layerOf(root), Builder: layerOf(builder), Headers: layerOf(headers)}
		}
	}
	if len(problems) == 0 {
		return d, exclusions.checkAllUsed()
	}
	return lock.Debian{}, problems.join()
}

// problems maps what is wrong to the platforms where it is: mostly all of them.
type problems map[string][]string

func (p problems) add(platform string, errs []error) {
	for _, err := range errs {
		p[err.Error()] = append(p[err.Error()], platform)
	}
}

func (p problems) join() error {
	var errs []error
	for _, text := range slices.Sorted(maps.Keys(p)) {
		errs = append(errs, fmt.Errorf("%s (%s)", text, strings.Join(p[text], ", ")))
	}
	return errors.Join(errs...)
}

// fetch reads every suite's index: the suites, and by platform what they have of
// the listed packages, in the order of the suites.
func (r debianResolver) fetch(ctx context.Context, platforms []string) ([]lock.Suite, [][]candidate, error) {
	suites := make([]lock.Suite, len(r.in.Suites))
	found := make([][][]candidate, len(r.in.Suites))
	eg, ctx := errgroup.WithContext(ctx)
	for i, suite := range r.in.Suites {
		found[i] = make([][]candidate, len(platforms))
		eg.Go(func() error {
			rel, err := r.fetchRelease(ctx, suite)
			if err != nil {
				return err
			}
			suites[i] = rel.suite
			for j, platform := range platforms {
				eg.Go(func() (err error) {
					found[i][j], err = r.fetchPackages(ctx, rel, architectures[platform])
					return err
				})
			}
			return nil
		})
	}
	if err := eg.Wait(); err != nil {
		return nil, nil, err
	}
	byPlatform := make([][]candidate, len(platforms))
	for _, suite := range found {
		for j := range platforms {
			byPlatform[j] = append(byPlatform[j], suite[j]...)
		}
	}
	return suites, byPlatform, nil
}

// pick returns the named candidates, sorted by name.
func pick(newest map[string]candidate, names []string) ([]candidate, []error) {
	var picked []candidate
	var errs []error
	for _, name := range slices.Sorted(slices.Values(names)) {
		c, ok := newest[name]
		if !ok {
			errs = append(errs, fmt.Errorf("package %s: in none of the suites", name))
			continue
		}
		picked = append(picked, c)
	}
	return picked, errs
}

func layerOf(picked []candidate) lock.Layer {
	l := lock.Layer{Packages: []lock.Package{}}
	for _, c := range picked {
		l.Packages = append(l.Packages, c.Package)
	}
	return l
}
