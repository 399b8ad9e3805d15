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

// Debian is a base image with glibc: locked Debian 12 packages with Python
// 3.11, and the wheels of a tier in /opt/venv. Standard and Python are two of
// them; a variant of one's own is a function or a struct that fills in another.
type Debian struct {
	// Name is the image's name without a registry, such as "python-base".
	Name string
	// Description is one line for people.
	Description string
	// Tier is the set of Python packages; each tier contains those below.
	Tier lock.Tier
	Options
}

// Options are what every base image lets its user change. The zero value
// changes nothing.
type Options struct {
	// Version is the label org.opencontainers.image.version; empty sets none.
	Version string
	// Env adds to the image's environment, or replaces what the variant sets.
	Env map[string]string
	// Labels adds to the image's labels, or replaces what the variant sets.
	Labels map[string]string
	// Packages are further locked wheels, in a layer of their own. A package
	// that the tier has already is an error: it would be there twice.
	Packages lock.Requirements
	// Waivers excuse single files from single rules of the contract, each with a
	// reason; every build prints them and a label lists them.
	Waivers []verify.Waiver
	// Locks is what the image is made from; nil means lock.Default.
	Locks *lock.Set
}

// Graph gives the image's graph for one platform.
func (d Debian) Graph(p lucidbase.Platforms) (lucidbase.Graph, error) {
	locks, err := d.locks()
	if err != nil {
		return lucidbase.Graph{}, err
	}
	if err := d.check(p, locks); err != nil {
		return lucidbase.Graph{}, fmt.Errorf("%s: %w", d.Name, err)
	}
	tool, err := locks.Tools.Requirements(lucidbase.FormatPlatform(p.Build))
	if err != nil {
		return lucidbase.Graph{}, fmt.Errorf("%s: %w", d.Name, err)
	}
	version, err := lucidbase.PythonVersion(locks.Debian, p.Target)
	if err != nil {
		return lucidbase.Graph{}, fmt.Errorf("%s: %w", d.Name, err)
	}
	root, _ := lucidbase.Inputs(locks.Debian, p.Target)
	b, inputs := stage.NewBuilder(locks.Debian, p.Build)
	uv := b.UV(tool)

	label := "[" + p.Target.Architecture + "]"
	state := b.Interpreter(root.State(), label, version)
	history := []string{"Debian 12 packages", "bytecode of the standard library, /opt/venv"}
	add := func(what string, reqs lock.Requirements) {
		state = b.Packages(state, uv, label+" "+what, version, p.Target, reqs)
		history = append(history, what)
	}
	for _, tier := range d.tiers() {
		own, err := locks.Own(tier)
		if err != nil {
			return lucidbase.Graph{}, fmt.Errorf("%s: %w", d.Name, err)
		}
		add(string(tier)+" packages", own)
	}
	if len(d.Packages) > 0 {
		add("further packages", d.Packages)
	}
	if p.Target.Architecture != p.Build.Architecture {
		inputs = append(inputs, root)
	}
	contract, err := d.contract(root, locks)
	return lucidbase.Graph{State: state, Config: d.config(p.Target, locks, history), Inputs: inputs, Contract: contract}, err
}

// tiers lists the tiers that the image holds, the smallest first.
func (d Debian) tiers() []lock.Tier {
	all := lock.Tiers()
	return all[:slices.Index(all, d.Tier)+1]
}

func (d Debian) locks() (*lock.Set, error) {
	if d.Locks != nil {
		return d.Locks, nil
	}
	return lock.Default()
}

var envName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// check reports every wrong field.
func (d Debian) check(p lucidbase.Platforms, locks *lock.Set) error {
	errs := []error{p.Validate()}
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if d.Name == "" {
		bad("Name: empty")
	}
	if !slices.Contains(lock.Tiers(), d.Tier) {
		bad("Tier: %q is not one of %v", d.Tier, lock.Tiers())
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
	further := map[string]bool{}
	for _, r := range d.Packages {
		if name := lock.NormalizeName(r.Name); further[name] {
			bad("Packages: %s: listed twice", r.Name)
		} else {
			further[name] = true
		}
		if r.Name == "" || r.Version == "" || len(r.Hashes) == 0 {
			bad("Packages: %q: name, version or hash is missing", r.Name)
		}
		for _, has := range locks.Python[d.Tier] {
			if has.Name == lock.NormalizeName(r.Name) {
				bad("Packages: %s: the %s tier has version %s already", r.Name, d.Tier, has.Version)
			}
		}
	}
	for _, w := range d.Waivers {
		if err := w.Validate(); err != nil {
			bad("Waivers: %w", err)
		}
	}
	for _, platform := range []string{lucidbase.FormatPlatform(p.Target), lucidbase.FormatPlatform(p.Build)} {
		if _, ok := locks.Debian.Platforms[platform]; !ok {
			bad("Locks: no Debian packages for %s", platform)
		}
	}
	return errors.Join(errs...)
}
