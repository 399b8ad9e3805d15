// Package stage writes the steps of a build: each runs Python on the build platform, in
// exec form, and leaves the same bytes every time. None calls a shell; only builds of
// sources have one, which make and ninja need.
package stage

import (
	"embed"
	"path"
	"strconv"

	"github.com/moby/buildkit/client/llb"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/lucid-project/base-images/internal/offer"
	"github.com/lucid-project/base-images/internal/supply"
	"github.com/lucid-project/base-images/llbutil"
	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/lock"
)

//go:embed stage.py installed.py
var stageScripts embed.FS

// VenvPath is where an image has its packages. A stage mounts it at the same
// path: it is inside each console script, RECORD and .pyc file.
const VenvPath = "/opt/venv"

// Where a stage finds things.
const (
	pythonPath = "/usr/bin/" + lock.PythonName
	scriptPath = "/lucid/stage.py"
	locksPath  = "/locks/requirements.txt"
	targetPath = "/target"
)

// Builder writes the stages that run on one platform. Its root filesystem is
// the locked packages for that platform, with pip as a wheel beside it, and a
// shell and make for the builds of sources.
type Builder struct {
	platform ocispecs.Platform
	root     llb.State
	pip      llb.State
	own      llb.State // stageScripts
}

// NewBuilder returns the builder of a build platform and the inputs it needs.
func NewBuilder(d lock.Debian, build ocispecs.Platform) (Builder, []lucidbase.Input) {
	root, pip := supply.Debian(d, build)
	b := Builder{platform: build, root: root.State(), pip: pip.State()}
	b.own = b.scripts(stageScripts)
	return b, []lucidbase.Input{root, pip}
}

// run executes a command of stage.py without a shell.
func (b Builder) run(name string, args []string, opts ...llb.RunOption) llb.ExecState {
	base := []llb.RunOption{
		llb.Args(append([]string{pythonPath, "-sP", scriptPath}, args...)),
		llb.AddEnv("PATH", "/usr/bin"),
		llb.AddEnv("LANG", "C.UTF-8"),
		llb.AddEnv("SOURCE_DATE_EPOCH", strconv.Itoa(lucidbase.EpochSeconds)),
		llb.AddEnv("PYTHONHASHSEED", "0"),
		llb.AddEnv("LUCID_CA", offer.CAPath),
		llb.AddEnv("LUCID_NETRC", offer.NetrcPath),
		llb.AddEnv("LUCID_INDEX", offer.IndexPath),
		llb.AddMount(path.Dir(scriptPath), b.own, llb.Readonly),
		llb.Platform(b.platform),
		llb.WithCustomName(name),
	}
	return b.root.Run(append(base, opts...)...)
}

func (b Builder) file(name string, content []byte) llb.State {
	return llbutil.File(path.Base(name), 0o644, content, b.platform)
}

// scripts holds every file of fsys.
func (b Builder) scripts(fsys embed.FS) llb.State {
	entries, err := fsys.ReadDir(".")
	if err != nil {
		panic(err) // they are embedded
	}
	var files *llb.FileAction
	for _, e := range entries {
		content, err := fsys.ReadFile(e.Name())
		if err != nil {
			panic(err)
		}
		if files == nil {
			files = llb.Mkfile("/"+e.Name(), 0o755, content)
		} else {
			files = files.Mkfile("/"+e.Name(), 0o755, content)
		}
	}
	return llb.Scratch().File(files, llb.Platform(b.platform), llb.WithCustomName("scripts"))
}

// shell returns a step /bin/sh.
func (b Builder) shell() llb.RunOption {
	return llb.AddMount("/usr/bin/sh", b.pip, llb.SourcePath("/usr/bin/busybox"), llb.Readonly)
}

func (b Builder) requirements(reqs lock.Requirements) llb.RunOption {
	return llb.AddMount(path.Dir(locksPath), b.file(locksPath, reqs.Format()), llb.Readonly)
}

// UV returns a file system that holds uv, installed by its hash.
func (b Builder) UV(tool lock.Requirements) llb.State {
	run := b.run("install uv "+tool[0].Version, []string{"tools", locksPath},
		llb.AddMount("/pip", b.pip, llb.Readonly),
		b.requirements(tool),
		llbutil.NetworkSecrets())
	return run.AddMount("/uv", llb.Scratch())
}

// Interpreter adds the standard library's bytecode and an empty venv to an
// image: a read-only image that does not run as root can never write either.
func (b Builder) Interpreter(image llb.State, t Target) llb.State {
	run := b.run(t.Label()+" standard library", []string{"interpreter", targetPath, t.Version, t.Prefix}, llb.Network(llb.NetModeNone))
	return run.AddMount(targetPath, image)
}
