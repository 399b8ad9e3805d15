package variants

import (
	"github.com/moby/buildkit/client/llb"

	"github.com/lucid-project/base-images/internal/stage"
	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/lock"
)

// foundation is what every image is built on: a system with its interpreter, and
// the tools that put packages on it.
type foundation struct {
	system   system
	target   stage.Target
	builder  stage.Builder
	uv       llb.State
	compiler stage.Compiler
	// version is the interpreter's that wheels for every platform are installed by.
	version string
	inputs  []lucidbase.Input
}

func newFoundation(locks *lock.Set, p lucidbase.Platforms, sys system) (foundation, error) {
	tool, err := locks.Tools.Requirements(lucidbase.FormatPlatform(p.Build))
	if err != nil {
		return foundation{}, err
	}
	version, err := lucidbase.PythonVersion(locks.Debian, lucidbase.LinuxAMD64)
	if err != nil {
		return foundation{}, err
	}
	f := foundation{system: sys, target: sys.target, version: version}
	f.builder, f.inputs = stage.NewBuilder(locks.Debian, p.Build)
	f.uv = f.builder.UV(tool)
	f.compiler = stage.Compiler{Builder: f.builder, Locks: locks, Headers: sys.headers}
	f.inputs = append(f.inputs, sys.root)
	return f, nil
}

// image puts layers of packages on the interpreter, and returns what is in each
// layer.
func (f foundation) image(layers []layer) (llb.State, []string) {
	states := []llb.State{f.builder.Interpreter(f.system.root.State(), f.target)}
	history := []string{f.system.history, "bytecode of the standard library, " + stage.VenvPath}
	for _, l := range layers {
		states, history = append(states, l.state), append(history, l.what)
	}
	if len(layers) == 0 {
		return states[0], history
	}
	return llb.Merge(states, llb.WithCustomName(f.target.Label()+" layers")), history
}
