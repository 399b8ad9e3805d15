package variants

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

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
	// Packages are further locked wheels, in a layer of their own. One that the tier
	// has in another version takes the place of the tier's: that tier's layer is
	// installed without it, and is then not shared with other images. One that the
	// tier has in this version is installed once, by the tier, and one whose marker
	// does not hold for the image is as if it were not there.
	Packages lock.Requirements
	// Sources are those of Packages that are compiled, for targets without a wheel;
	// lock.ReadRequirements gives both.
	Sources lock.Sources
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
	// system gives what the image stands on.
	system func(locks *lock.Set, p lucidbase.Platforms) (system, error)
}

// system is a root filesystem that a base stands on.
type system struct {
	root lucidbase.Input
	// headers are those of its interpreter, if that is not Debian's.
	headers *lucidbase.Input
	// history says what the root filesystem holds.
	history string
	target  stage.Target
	// digest identifies the locks that the image is made from.
	digest string
	// kept are the packages of root that are not Debian's.
	kept []lock.ApkPackage
	// labels say more of what the image stands on.
	labels map[string]string
}

// Graph gives the image's graph for one platform.
func (d base) Graph(p lucidbase.Platforms) (lucidbase.Graph, error) {
	if d.Locks == nil {
		locks, err := lock.Default()
		if err != nil {
			return lucidbase.Graph{}, err
		}
		d.Locks = locks
	}
	if err := d.check(p); err != nil {
		return lucidbase.Graph{}, fmt.Errorf("%s: %w", d.name, err)
	}
	sys, err := d.system(d.Locks, p)
	if err != nil {
		return lucidbase.Graph{}, fmt.Errorf("%s: %w", d.name, err)
	}
	g, err := d.build(p, sys)
	if err != nil {
		return lucidbase.Graph{}, fmt.Errorf("%s: %w", d.name, err)
	}
	return g, nil
}

// build puts the layers on each other.
func (d base) build(p lucidbase.Platforms, sys system) (lucidbase.Graph, error) {
	tool, err := d.Locks.Tools.Requirements(lucidbase.FormatPlatform(p.Build))
	if err != nil {
		return lucidbase.Graph{}, err
	}
	b, inputs := stage.NewBuilder(d.Locks.Debian, p.Build)
	uv := b.UV(tool)
	compiler := stage.Compiler{Builder: b, Locks: d.Locks, Headers: sys.headers}

	state := b.Interpreter(sys.root.State(), sys.target)
	history := []string{sys.history, "bytecode of the standard library, /opt/venv"}
	inputs = append(inputs, sys.root)
	layers, err := d.layers(sys.target)
	if err != nil {
		return lucidbase.Graph{}, err
	}
	for _, l := range layers {
		used := l.sources.For(sys.target.Wheels())
		wheels, needed, err := compiler.Wheels(used, sys.target)
		if err != nil {
			return lucidbase.Graph{}, err
		}
		state = b.Packages(state, uv, l.what, sys.target, used.Replace(l.reqs), wheels...)
		history = append(history, l.what)
		inputs = append(inputs, needed...)
	}
	contract, err := d.contract(sys, layers)
	return lucidbase.Graph{State: state, Config: d.config(p.Target, sys, history), Inputs: unique(inputs), Contract: contract}, err
}

// unique gives each input once: the root filesystem may be the builder's. One layer
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

// tiers lists the tiers that the image holds, the smallest first.
func (d base) tiers() []lock.Tier {
	all := lock.Tiers()
	return all[:slices.Index(all, d.tier)+1]
}

var envName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// check reports every wrong field.
func (d base) check(p lucidbase.Platforms) error {
	errs := []error{p.Validate()}
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if d.name == "" {
		bad("Name: empty")
	}
	if !slices.Contains(lock.Tiers(), d.tier) {
		bad("Tier: %q is not one of %v", d.tier, lock.Tiers())
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
	if err := d.Sources.Within("Sources", d.Packages); err != nil {
		bad("%w", err)
	}
	further := map[string]bool{}
	for _, r := range d.Packages {
		if line := lock.NormalizeName(r.Name) + ";" + r.Marker; further[line] {
			bad("Packages: %s: listed twice", r.Name)
		} else {
			further[line] = true
		}
		if r.Name == "" || r.Version == "" || len(r.Hashes) == 0 {
			bad("Packages: %q: name, version or hash is missing", r.Name)
		}
	}
}
