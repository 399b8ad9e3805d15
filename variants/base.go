package variants

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/lucid-project/base-images/internal/names"
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
	// another version takes the place of the tier's; one that the tier has just so is
	// there once. Each large wheel is a layer of its own, which all images share.
	Packages lock.Packages
	// Waivers excuse single files from single rules of the contract, each with a
	// reason; every build prints them and a label lists them.
	Waivers []verify.Waiver
	// Locks is what the image is made from; nil means lock.Default.
	Locks *lock.Set
}

// base is what all base images have in common: a root filesystem with Python
// 3.11, and the wheels of a tier in /opt/venv.
type base struct {
	name        string
	description string
	tier        lock.Tier
	Options
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
	if d.Locks == nil {
		locks, err := lock.Default()
		if err != nil {
			return lucidbase.Graph{}, err
		}
		d.Locks = locks
	}
	if err := d.check(p); err != nil {
		return lucidbase.Graph{}, err
	}
	f, err := newFoundation(d.Locks, p, d.system)
	if err != nil {
		return lucidbase.Graph{}, err
	}
	im, err := f.with(d.tier, d.Packages)
	if err != nil {
		return lucidbase.Graph{}, err
	}
	contract, err := d.contract(im)
	return lucidbase.Graph{
		State: im.state, Config: d.config(im), Inputs: unique(im.inputs), Contract: contract, Notes: d.notes(),
	}, err
}

// notes says whether the base has moved on since the image's packages were locked.
func (d base) notes() []string {
	with := d.Packages.Base
	if with.Name == "" || with.Digest == d.Locks.Python[d.tier].Digest() {
		return nil
	}
	return []string{"its packages were locked with other packages of " + with.Name + " than this one has: lock them again for what is new"}
}

// unique returns each input once: the root filesystem may be the builder's. One layer
// for two platforms is two inputs, as each has its own manifest.
func unique(inputs []lucidbase.Input) []lucidbase.Input {
	var out []lucidbase.Input
	for _, in := range inputs {
		same := func(o lucidbase.Input) bool { return o.Layer.Digest == in.Layer.Digest && o.String() == in.String() }
		if !slices.ContainsFunc(out, same) {
			out = append(out, in)
		}
	}
	return out
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
	d.checkPackages(bad)
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

func (d base) checkPackages(bad func(format string, args ...any)) {
	further := map[string]bool{}
	for _, r := range d.Packages.Requirements {
		if further[r.String()] {
			bad("Packages: %s: listed twice", r)
		}
		further[r.String()] = true
		if r.Name != names.Normalize(r.Name) || r.Version == "" || len(r.Wheels) == 0 && r.Source == nil {
			bad("Packages: %q: normalised name, version or files are missing", r.Name)
		}
	}
}
