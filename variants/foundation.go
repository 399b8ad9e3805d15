package variants

import (
	"fmt"
	"maps"
	"slices"
	"strings"

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
	// history says what the root filesystem holds.
	history string
	target  stage.Target
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
	state llb.State
	// layers say what is in each layer.
	layers []string
	// labels say what the image was made from.
	labels map[string]string
	// installed has each distribution's version.
	installed map[string]string
}

// with puts the packages of a tier and of those below it, and further ones,
// on the foundation.
func (f foundation) with(tier lock.Tier, further lock.Packages) (image, error) {
	target := f.target.Wheels()
	if locked := further.Targets; len(locked) > 0 && !slices.Contains(locked, target) {
		return image{}, fmt.Errorf("Packages: locked for %s, and not for %s", strings.Join(locked, ", "), target)
	}
	groups, err := f.groups(tier, further)
	if err != nil {
		return image{}, err
	}
	made, inputs, err := f.layers(groups)
	if err != nil {
		return image{}, err
	}
	im := image{foundation: f, layers: []string{f.history, "bytecode of the standard library, " + stage.VenvPath}, installed: map[string]string{}}
	im.inputs = slices.Concat(f.inputs, inputs)
	im.labels = map[string]string{LockDigestLabel: f.digest(tier, further)}
	maps.Copy(im.labels, f.labels)
	states := []llb.State{f.builder.Interpreter(f.root.State(), f.target)}
	for _, l := range made {
		states, im.layers = append(states, l.state), append(im.layers, l.what)
	}
	for _, g := range groups {
		for _, r := range g.used {
			im.installed[r.Name] = r.Version
		}
	}
	im.state = states[0]
	if len(made) > 0 {
		im.state = llb.Merge(states, llb.WithCustomName(f.target.Label()+" layers"))
	}
	return im, nil
}
