package variants

import (
	"maps"
	"slices"
	"sync"

	"github.com/moby/buildkit/client/llb"

	"github.com/lucid-project/base-images/internal/stage"
	"github.com/lucid-project/base-images/internal/supply"
	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/lock"
)

// foundation is what every image is built on: a system with its interpreter, and
// the tools that put packages on it.
type foundation struct {
	system
	locks    *lock.Set
	builder  stage.Builder
	uv       llb.State
	compiler stage.Compiler
	// version is the interpreter's that wheels for every platform are installed by.
	version string
	inputs  []lucidbase.Input
	// interpreter is the layer above the system's.
	interpreter layer
	// tiers are the packages of a tier and of those below it, the smallest first.
	tiers []group
}

// system is a root filesystem with an interpreter.
type system struct {
	root lucidbase.Input
	// headers are those of its interpreter, if that is not Debian's.
	headers *lucidbase.Input
	// what the root filesystem holds, for the image's history.
	what   string
	target stage.Target
	// digest identifies the locks of an image that is made from the system, a tier
	// and further packages.
	digest func(t lock.Tier, further lock.Packages) string
	// kept are the packages of root that are not Debian's.
	kept []lock.ApkPackage
	// labels say more of what the image stands on.
	labels map[string]string
	// twin returns what a Dev has of the system besides.
	twin func() (twin, error)
}

// twin is the layer that a twin has of its system besides, and what is in it.
type twin struct {
	in   lucidbase.Input
	what string
	kept []lock.ApkPackage // those that are not Debian's
	// digest identifies the locks of a twin whose base is made from those of a digest.
	digest func(string) string
}

func newFoundation(locks *lock.Set, p lucidbase.Platforms, tier lock.Tier, on func(*lock.Set, lucidbase.Platforms) (system, error)) (foundation, error) {
	sys, err := on(locks, p)
	if err != nil {
		return foundation{}, err
	}
	tool, err := locks.Tools.Requirements(lucidbase.FormatPlatform(p.Build))
	if err != nil {
		return foundation{}, err
	}
	version, err := supply.PythonVersion(locks.Debian, lucidbase.LinuxAMD64)
	if err != nil {
		return foundation{}, err
	}
	f := foundation{system: sys, locks: locks, version: version}
	f.builder, f.inputs = stage.NewBuilder(locks.Debian, p.Build)
	f.uv = f.builder.UV(tool)
	f.compiler = stage.Compiler{Builder: f.builder, Locks: locks, Headers: sys.headers}
	f.inputs = append(f.inputs, sys.root)
	f.interpreter = layer{f.builder.Interpreter(f.root.State(), f.target), "bytecode of the standard library, " + stage.VenvPath}
	f.tiers, err = f.groupsOf(tier)
	return f, err
}

// foundation returns what the base stands on, with the layers of its tier. Of the locks
// that are committed, which nobody changes, it is made once for many services.
func (d base) foundation(p lucidbase.Platforms) (foundation, error) {
	make := func() (foundation, error) { return newFoundation(d.Locks, p, d.tier, d.system) }
	if committed, err := lock.Default(); err != nil || d.Locks != committed || d.musl {
		return make()
	}
	return founded.get(foundationKey{d.tier, lucidbase.FormatPlatform(p.Target), lucidbase.FormatPlatform(p.Build)}, make)
}

// foundationKey has all that tells two foundations of Debian and the same locks apart.
type foundationKey struct {
	tier          lock.Tier
	target, build string
}

// founded are the foundations of the committed locks.
var founded foundations

type foundations struct {
	mu   sync.Mutex
	made map[foundationKey]foundation
	uses int
}

// foundationUses is after how many graphs foundations are made anew: llb keeps in a
// vertex what it marshals of each graph that has it.
const foundationUses = 100

func (fs *foundations) get(key foundationKey, make func() (foundation, error)) (foundation, error) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if fs.uses%foundationUses == 0 {
		fs.made = map[foundationKey]foundation{}
	}
	fs.uses++
	f, ok := fs.made[key]
	if ok {
		return f, nil
	}
	f, err := make()
	if err == nil {
		fs.made[key] = f
	}
	return f, err
}

// image is a foundation with packages on it.
type image struct {
	foundation
	layers []layer
	// labels say what the image was made from.
	labels map[string]string
	// installed has each distribution's version.
	installed map[string]string
	// added are the packages of the layers above root.
	added []lock.Package
}

// with puts the packages of the foundation's tier, and further ones, on it.
func (f foundation) with(tier lock.Tier, further lock.Packages) (image, error) {
	groups := f.groups(further)
	made, inputs, err := f.install(groups)
	if err != nil {
		return image{}, err
	}
	im := image{foundation: f, layers: append([]layer{f.interpreter}, made...), installed: map[string]string{}}
	im.inputs = unique(slices.Concat(f.inputs, inputs))
	im.labels = map[string]string{LockDigestLabel: f.digest(tier, further)}
	maps.Copy(im.labels, f.labels)
	for _, g := range groups {
		for _, r := range g.used {
			im.installed[r.Name] = r.Version
		}
	}
	return im, nil
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

// state puts the layers on each other.
func (im image) state() llb.State {
	states := make([]llb.State, len(im.layers))
	for i, l := range im.layers {
		states[i] = l.state
	}
	if len(states) == 1 {
		return states[0]
	}
	return llb.Merge(states, llb.WithCustomName(im.target.Label()+" layers"))
}

// history says what is in each layer, the system's first.
func (im image) history() []string {
	all := []string{im.what}
	for _, l := range im.layers {
		all = append(all, l.what)
	}
	return all
}
