package variants

import (
	"maps"
	"slices"

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
}

func newFoundation(locks *lock.Set, p lucidbase.Platforms, on func(*lock.Set, lucidbase.Platforms) (system, error)) (foundation, error) {
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
	return f, nil
}

// image is a foundation with packages on it.
type image struct {
	foundation
	layers []layer
	// labels say what the image was made from.
	labels map[string]string
	// installed has each distribution's version.
	installed map[string]string
}

// with puts the packages of a tier and of those below it, and further ones, on the
// foundation.
func (f foundation) with(tier lock.Tier, further lock.Packages) (image, error) {
	groups, err := f.groups(tier, further)
	if err != nil {
		return image{}, err
	}
	made, inputs, err := f.install(groups)
	if err != nil {
		return image{}, err
	}
	// The interpreter's layer stands on the system's.
	interpreter := layer{f.builder.Interpreter(f.root.State(), f.target), "bytecode of the standard library, " + stage.VenvPath}
	im := image{foundation: f, layers: append([]layer{interpreter}, made...), installed: map[string]string{}}
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
