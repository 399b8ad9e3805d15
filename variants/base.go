package variants

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/lucid-project/base-images/internal/names"
	"github.com/lucid-project/base-images/internal/stage"
	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/lock"
	"github.com/lucid-project/base-images/lucidbase/verify"
)

// Options are what every base image lets its user change. The zero value
// changes nothing.
type Options struct {
	// Version is the label org.opencontainers.image.version; empty sets none.
	Version string
	// Env adds to the image's environment, or replaces what the variant sets.
	Env map[string]string
	// Labels adds to the image's labels, or replaces what the variant sets.
	Labels map[string]string
	// Packages are further packages: what lock.Read returns. One that the tier has in
	// another version takes the place of the tier's; one that the tier has in the same
	// version is there once. Each large wheel is a layer of its own, which all images
	// share.
	Packages lock.Packages
	// Waivers excuse single files from single rules of the contract, each with a
	// reason; every build prints them and a label lists them.
	Waivers []verify.Waiver
	// Locks is what the image is made from; nil means lock.Default.
	Locks *lock.Set
}

// Base is a base image that a Service can stand on: Python, Standard, Alpine, Bare,
// or a Debian of one's own. A Dev is one, too, but no service can stand on it.
type Base interface {
	lucidbase.Spec
	base() base
}

// base is what all base images have in common: a root filesystem with Python
// 3.11, and the wheels of a tier in /opt/venv.
type base struct {
	name        string
	description string
	tier        lock.Tier
	Options
	// musl says that the C library is Alpine's.
	musl bool
	// dev says that it is a Dev.
	dev bool
	// system returns what the image stands on.
	system func(locks *lock.Set, p lucidbase.Platforms) (system, error)
}

// Graph returns the image's graph for one platform.
func (d base) Graph(p lucidbase.Platforms) (lucidbase.Graph, error) {
	g, err := d.graph(p)
	if err != nil {
		return lucidbase.Graph{}, fmt.Errorf("%s: %w", d.name, err)
	}
	return g, nil
}

func (d base) graph(p lucidbase.Platforms) (lucidbase.Graph, error) {
	d, err := d.complete()
	if err != nil {
		return lucidbase.Graph{}, err
	}
	if err := errors.Join(d.check(p), d.checkPackages("Packages", p)); err != nil {
		return lucidbase.Graph{}, err
	}
	im, err := d.image(p)
	if err != nil {
		return lucidbase.Graph{}, err
	}
	return d.finish(im)
}

// complete fills in the default locks.
func (d base) complete() (base, error) {
	if d.Locks != nil {
		return d, nil
	}
	locks, err := lock.Default()
	d.Locks = locks
	return d, err
}

// image puts the image's packages on its system.
func (d base) image(p lucidbase.Platforms) (image, error) {
	f, err := d.foundation(p)
	if err != nil {
		return image{}, err
	}
	im, err := f.with(d.tier, d.Packages)
	if err == nil && d.dev {
		err = d.addDev(&im)
	}
	return im, err
}

// finish returns the graph of an image.
func (d base) finish(im image) (lucidbase.Graph, error) {
	contract, err := d.contract(im)
	return lucidbase.Graph{
		State: im.state(), Config: d.config(im), Inputs: im.inputs, Contract: contract, Notes: d.notes(),
	}, err
}

// notes says whether the base has moved on since the image's packages were locked.
func (d base) notes() []string {
	with := d.Packages.Base
	if with.Name == "" || with.Digest == d.Locks.TierDigest(d.tier) {
		return nil
	}
	return []string{"its packages were locked with other packages of " + with.Name + " than this one has: lock them again for what is new"}
}

var envName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// check reports every wrong field.
func (d base) check(p lucidbase.Platforms) error {
	errs := []error{p.Validate()}
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if d.name == "" {
		bad("Name: empty")
	}
	if all := append(lock.Tiers(), lock.Bare); !slices.Contains(all, d.tier) {
		bad("Tier: %q is not one of %v", d.tier, all)
	}
	for _, name := range sortedKeys(d.Env) {
		if !envName.MatchString(name) {
			bad("Env: %q is not the name of a variable", name)
		}
		if strings.ContainsRune(d.Env[name], 0) {
			bad("Env: %s has a NUL byte in its value", name)
		}
	}
	for _, key := range sortedKeys(d.Labels) {
		if key == "" || strings.ContainsAny(key, " \t\n=") {
			bad("Labels: %q is not a key", key)
		}
	}
	for _, w := range d.Waivers {
		if err := w.Validate(); err != nil {
			bad("Waivers: %w", err)
		}
	}
	for _, platform := range []string{lucidbase.FormatPlatform(p.Target), lucidbase.FormatPlatform(p.Build)} {
		if _, ok := d.Locks.Debian.Platforms[platform]; !ok {
			bad("Locks: no Debian packages for %s", platform)
		}
	}
	return errors.Join(errs...)
}

// checkPackages reports what is wrong with the further packages; field is what they
// are called.
func (d base) checkPackages(field string, p lucidbase.Platforms) error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(field+": "+format, args...)) }
	further := map[string]bool{}
	for _, r := range d.Packages.Requirements {
		if further[r.String()] {
			bad("%s: listed twice", r)
		}
		further[r.String()] = true
		if r.Name != names.Normalize(r.Name) || r.Version == "" || len(r.Wheels) == 0 && r.Sdist == nil {
			bad("%q: normalised name, version or files are missing", r.Name)
		}
	}
	target := stage.Target{Platform: p.Target, Musl: d.musl}.Wheels()
	if locked := d.Packages.Targets; len(locked) > 0 && !slices.Contains(locked, target) {
		bad("locked for %s, and not for %s", strings.Join(locked, ", "), target)
	}
	return errors.Join(errs...)
}
