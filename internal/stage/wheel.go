package stage

import (
	"embed"
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/moby/buildkit/client/llb"

	"github.com/lucid-project/base-images/internal/supply"
	"github.com/lucid-project/base-images/llbutil"
	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/lock"
)

//go:embed wheel.py product.py elf.py cc.py backend.py cause.py
var wheelScripts embed.FS

const (
	wheelPath  = "/wheel/wheel.py"
	configPath = "/headers/interpreter"
)

// Compiler makes wheels of source distributions on a build platform.
type Compiler struct {
	Builder Builder
	// Locks has uv, zig, and the headers that sources are compiled against.
	Locks *lock.Set
	// Headers are those of an upstream image's interpreter; nil means Debian's.
	Headers *lucidbase.Input
}

// Wheels returns, for each requirement, a file system that holds the wheel of its
// source for a target, and the inputs that making them takes. What is bound to fail is
// an error: a tool that is not locked for the build platform, a library that is not
// among the locked headers.
func (c Compiler) Wheels(reqs lock.Requirements, t Target) ([]llb.State, []lucidbase.Input, error) {
	if len(reqs) == 0 {
		return nil, nil, nil
	}
	build := lucidbase.FormatPlatform(c.Builder.platform)
	tool, err := c.Locks.Tools.Requirements(build)
	if err != nil {
		return nil, nil, err
	}
	w := wheelwright{Builder: c.Builder, uv: c.Builder.UV(tool)}
	var inputs []lucidbase.Input
	var errs []error
	for _, r := range reqs {
		if r.Sdist.BuildTarget(t.Wheels()) == lock.AnyTarget {
			continue
		}
		var headers lucidbase.Input
		w.zig, headers, err = c.needs(r.Sdist, build, t)
		if err != nil {
			errs = append(errs, fmt.Errorf("compiling %s %s for %s: %w", r.Name, r.Version, t.Wheels(), err))
			continue
		}
		inputs = []lucidbase.Input{headers}
		w.headers = headers.State()
		w.config = llb.AddMount(configPath, w.headers, llb.SourcePath("/lib"+lock.PythonName+"-minimal"), llb.Readonly)
		if c.Headers != nil {
			inputs = append(inputs, *c.Headers)
			w.config = llb.AddMount(configPath, c.Headers.State(), llb.Readonly)
		}
	}
	var wheels []llb.State
	for _, r := range reqs {
		if len(errs) == 0 {
			wheels = append(wheels, w.wheel(r, r.Sdist.BuildTarget(t.Wheels())))
		}
	}
	return wheels, inputs, errors.Join(errs...)
}

// needs returns what compiling a source takes, if the locks have it.
func (c Compiler) needs(s *lock.Sdist, build string, t Target) (lock.Requirements, lucidbase.Input, error) {
	zig, err := c.Locks.Tools.Compiler(build)
	if err != nil {
		return nil, lucidbase.Input{}, err
	}
	headers, err := supply.DebianHeaders(c.Locks.Debian, t.Platform)
	if err != nil {
		return nil, lucidbase.Input{}, err
	}
	var errs []error
	for _, library := range s.Libraries {
		if _, ok := headers.Layer.Find(library); !ok {
			errs = append(errs, fmt.Errorf("library %s: not among the headers in %s", library, lock.DebianFile))
		}
	}
	return zig, headers, errors.Join(errs...)
}

// wheelwright writes the stages of wheels.
type wheelwright struct {
	Builder
	uv      llb.State
	zig     lock.Requirements
	headers llb.State
	// config mounts the target interpreter's own configuration.
	config llb.RunOption
}

// wheel makes and checks one wheel. The step can write to its own directory and
// /tmp alone, and has no network.
func (w wheelwright) wheel(r lock.Requirement, target string) llb.State {
	s := r.Sdist
	fetch := w.step(fmt.Sprintf("fetch the source of %s %s", r.Name, r.Version), "fetch", []string{r.Name, r.Version, s.SHA256},
		llbutil.NetworkSecrets())
	source := fetch.AddMount("/build", llb.Scratch())
	opts := []llb.RunOption{
		llb.AddMount("/env", w.environment(s.Build), llb.Readonly),
		llb.Network(llb.NetModeNone),
		llb.ReadonlyRootFS(),
		w.shell(),
		llb.AddMount("/tmp", llb.Scratch(), llb.Tmpfs()),
	}
	if target != lock.AnyTarget {
		opts = append(opts,
			llb.AddMount("/opt/zig", w.compiler(), llb.Readonly),
			// Each build has its own copy: what one writes, no other sees.
			llb.AddMount("/runtime", w.runtime(target, s.CXX)),
			llb.AddMount("/headers/python", w.headers, llb.SourcePath("/lib"+lock.PythonName+"-dev"), llb.Readonly),
			w.config)
		for _, library := range s.Libraries {
			opts = append(opts, llb.AddMount("/headers/libraries/"+library, w.headers, llb.SourcePath("/"+library), llb.Readonly))
		}
	}
	name := fmt.Sprintf("compile %s %s for %s", r.Name, r.Version, target)
	run := w.step(name, "build", []string{r.Name, r.Version, target}, opts...)
	run.AddMount("/build", source)
	return run.AddMount("/out", llb.Scratch())
}

// environment has what a build needs, installed by hash. Builds that need the
// same share it.
func (w wheelwright) environment(reqs lock.Requirements) llb.State {
	var names []string
	for _, r := range reqs {
		names = append(names, r.Name)
	}
	what := strings.Join(names, ", ")
	if what == "" {
		what = "nothing"
	}
	return w.install("install for builds: "+what, "environment", "/env", reqs)
}

// compiler is zig, installed by its hash.
func (w wheelwright) compiler() llb.State {
	return w.install("install ziglang "+w.zig[0].Version, "compiler", "/opt/zig", w.zig)
}

func (w wheelwright) install(name, command, at string, reqs lock.Requirements) llb.State {
	run := w.step(name, command, []string{locksPath},
		llb.AddMount("/uv", w.uv, llb.Readonly),
		llb.AddMount("/root/.cache/uv", llb.Scratch(), llb.AsPersistentCacheDir("lucid-uv", llb.CacheMountShared)),
		w.requirements(reqs),
		llbutil.NetworkSecrets())
	return run.AddMount(at, llb.Scratch())
}

// runtime is what zig makes for a target before the first library: little for C,
// and the whole of libc++ for C++.
func (w wheelwright) runtime(target string, cxx bool) llb.State {
	name, language, before := "compile the runtime of "+target, "c", llb.Scratch()
	if cxx {
		name, language, before = "compile the C++ runtime of "+target, "c++", w.runtime(target, false)
	}
	run := w.step(name, "runtime", []string{target, language},
		llb.AddMount("/opt/zig", w.compiler(), llb.Readonly),
		llb.AddMount("/build", llb.Scratch()),
		llb.Network(llb.NetModeNone))
	return run.AddMount("/runtime", before)
}

// step runs a command of wheel.py.
func (w wheelwright) step(name, command string, args []string, opts ...llb.RunOption) llb.ExecState {
	base := []llb.RunOption{
		llb.Args(append([]string{pythonPath, "-sP", wheelPath, command}, args...)),
		llb.AddMount("/pip", w.pip, llb.Readonly),
		llb.AddMount(path.Dir(wheelPath), w.scripts(wheelScripts), llb.Readonly),
	}
	return w.run(name, nil, append(base, opts...)...)
}
