// Package stage writes the steps of a build: each runs Python on the build
// platform, in exec form, with one script and no shell, and leaves the same
// bytes every time.
package stage

import (
	_ "embed"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/moby/buildkit/client/llb"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/lucid-project/base-images/llbutil"
	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/lock"
)

//go:embed stage.py
var script []byte

// VenvPath is where an image has its packages. A stage mounts it at the same
// path: it is inside each console script, RECORD and .pyc file.
const VenvPath = "/opt/venv"

// Where a stage finds things.
const (
	pythonPath = "/usr/bin/python3.11"
	scriptPath = "/lucid/stage.py"
	locksPath  = "/locks/requirements.txt"
	targetPath = "/target"
)

// Builder writes the stages that run on one platform. Its root filesystem is
// the locked packages for that platform, with pip as a wheel beside it.
type Builder struct {
	platform ocispecs.Platform
	root     llb.State
	pip      llb.State
}

// NewBuilder gives the builder of a build platform and the inputs it needs.
func NewBuilder(d lock.Debian, build ocispecs.Platform) (Builder, []lucidbase.Input) {
	root, pip := lucidbase.Inputs(d, build)
	return Builder{platform: build, root: root.State(), pip: pip.State()}, []lucidbase.Input{root, pip}
}

// run executes a command of stage.py without a shell.
func (b Builder) run(name string, args []string, opts ...llb.RunOption) llb.ExecState {
	base := []llb.RunOption{
		llb.Args(append([]string{pythonPath, "-sP", scriptPath}, args...)),
		llb.AddEnv("PATH", "/usr/bin"),
		llb.AddEnv("LANG", "C.UTF-8"),
		llb.AddEnv("SOURCE_DATE_EPOCH", strconv.Itoa(lucidbase.EpochSeconds)),
		llb.AddEnv("PYTHONHASHSEED", "0"),
		llb.AddEnv("LUCID_CA", llbutil.CAPath),
		llb.AddEnv("LUCID_NETRC", llbutil.NetrcPath),
		llb.AddMount(path.Dir(scriptPath), b.file(scriptPath, script), llb.Readonly),
		llb.Platform(b.platform),
		llb.WithCustomName(name),
	}
	return b.root.Run(append(base, opts...)...)
}

func (b Builder) file(name string, content []byte) llb.State {
	return llbutil.File(path.Base(name), 0o644, content, b.platform)
}

func (b Builder) requirements(reqs lock.Requirements) llb.RunOption {
	return llb.AddMount(path.Dir(locksPath), b.file(locksPath, reqs.Format()), llb.Readonly)
}

// UV gives a file system that holds uv, installed by its hash.
func (b Builder) UV(tool lock.Requirements) llb.State {
	run := b.run("install uv "+tool[0].Version, []string{"tools", locksPath},
		llb.AddMount("/pip", b.pip, llb.Readonly),
		b.requirements(tool),
		llbutil.NetworkSecrets())
	return run.AddMount("/opt/uv", llb.Scratch())
}

// Interpreter adds the standard library's bytecode and an empty venv to an
// image: a read-only image that does not run as root can never write either.
func (b Builder) Interpreter(image llb.State, label, version string) llb.State {
	run := b.run(label+" standard library", []string{"interpreter", targetPath, version}, llb.Network(llb.NetModeNone))
	return run.AddMount(targetPath, image)
}

// Packages adds wheels for the target to an image's venv. The image's own state
// is mounted where the image will have it, so that what comes back is the image
// and one layer more.
func (b Builder) Packages(image, uv llb.State, name, version string, target ocispecs.Platform, reqs lock.Requirements) llb.State {
	run := b.run(name, []string{"packages", locksPath, wheelPlatform(target), version},
		llb.AddMount("/opt/uv", uv, llb.Readonly),
		llb.AddMount("/root/.cache/uv", llb.Scratch(), llb.AsPersistentCacheDir("lucid-uv", llb.CacheMountShared)),
		b.requirements(reqs),
		llbutil.NetworkSecrets())
	return run.AddMount(VenvPath, image, llb.SourcePath(VenvPath))
}

// wheelPlatform is uv's name of a platform with Debian 12's C library.
func wheelPlatform(p ocispecs.Platform) string {
	if p.Architecture == "arm64" {
		return "aarch64-manylinux_2_36"
	}
	return "x86_64-manylinux_2_36"
}

// LockOutputs are the files that Lock leaves: uv's versions and hashes by
// machine, as JSON, and the lock of each tier.
func LockOutputs() []string {
	names := []string{"uv.json"}
	for _, t := range lock.Tiers() {
		names = append(names, t.LockFile())
	}
	return names
}

// Lock resolves the tools and every tier from the package index, afresh each
// time. inputs maps a tier's input file to its text.
func (b Builder) Lock(inputs map[string][]byte, version string) llb.State {
	tiers := lock.Tiers()
	slices.Reverse(tiers)
	var order []string
	files := llb.Scratch()
	for _, t := range tiers {
		order = append(order, string(t))
		files = files.File(llb.Mkfile("/"+t.InputFile(), 0o644, inputs[t.InputFile()]), llb.Platform(b.platform))
	}
	files = files.File(llb.Mkfile("/tiers", 0o644, []byte(strings.Join(order, " "))), llb.Platform(b.platform))
	run := b.run("resolve Python packages", []string{"lock", version, "x86_64", "aarch64"},
		llb.IgnoreCache,
		llb.AddMount("/pip", b.pip, llb.Readonly),
		llb.AddMount(path.Dir(locksPath), files, llb.Readonly),
		llbutil.NetworkSecrets())
	return run.AddMount("/out", llb.Scratch())
}
