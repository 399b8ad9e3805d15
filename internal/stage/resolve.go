package stage

import (
	"embed"
	"encoding/json"
	"maps"
	"path"
	"slices"

	"github.com/moby/buildkit/client/llb"

	"github.com/lucid-project/base-images/llbutil"
	"github.com/lucid-project/base-images/lucidbase/lock"
)

//go:embed prepare.py resolve.py explain.py cache.py index.py source.py fitting.py markers.py needs.py backend.py cause.py
var askScripts embed.FS

// Where a stage that asks the index has its scripts, what it imports of pip, with
// bytecode, and what it keeps for the next one.
const (
	askPath   = "/resolve"
	readyPath = "/asking"
	cachePath = "/cache"
)

// ToolsOutput is the file in which Resolve leaves the newest tools: JSON that
// maps a tool's name and a machine to its version and its wheel's hash.
const ToolsOutput = "tools.json"

// Resolution is what Resolve asks Python's index for.
type Resolution struct {
	// Nonce is a text that no other resolution has: it is not to be answered with an
	// earlier one's result.
	Nonce string
	// Version is the full version of the interpreter that the packages are for.
	Version string
	// Files are the lists of packages and what they include, by name.
	Files map[string][]byte
	// Lists are resolved in order, each within the versions of the one before.
	Lists []List
	// Libraries names the Debian packages that a project's source needs.
	Libraries map[string][]string
	// UV is the locked uv to resolve with; nil means the newest, and to find the
	// newest of every tool besides.
	UV lock.Requirements
}

// List is one list of packages.
type List struct {
	// Name is that of the outputs, File that of the list itself.
	Name string `json:"name"`
	File string `json:"file"`
	// Targets are those of lock.WheelTargets that the packages are needed for.
	Targets []string `json:"targets"`
	// Preferred is a lock whose versions are kept where the list allows them.
	Preferred string `json:"preferred"`
	// Leftovers are packages that the list names and that are left out unless
	// another one needs them: what "pip freeze" says of the machine.
	Leftovers []string `json:"leftovers"`
	// Refused are packages that no image may have: the lock says who asks for them.
	Refused []string `json:"refused"`
	// Written maps the projects that the list names to themselves, with extras.
	Written map[string]string `json:"written"`
	// Arguments are for uv, and Pins the hashes that the list names itself.
	Arguments []string `json:"arguments"`
	Pins      []Pin    `json:"pins"`
}

// Pin is a version of a package of which a file may be locked only if it has one
// of the hashes, each "sha256:" and the digits.
type Pin struct {
	Name    string   `json:"name"`
	Version string   `json:"version"`
	Hashes  []string `json:"hashes"`
}

// Outputs are the files that Resolve leaves for a list: its lock, and as JSON
// what has to be built from source.
func (l List) Outputs() (lockFile, sources string) { return l.Name + ".lock.txt", l.Name + ".json" }

// fill makes nil slices and maps empty, so that none is encoded as null.
func (l *List) fill() {
	l.Leftovers, l.Refused = append([]string{}, l.Leftovers...), append([]string{}, l.Refused...)
	l.Arguments, l.Pins = append([]string{}, l.Arguments...), append([]Pin{}, l.Pins...)
	if l.Written == nil {
		l.Written = map[string]string{}
	}
}

// request is how resolve.py reads a Resolution.
type request struct {
	Nonce     string              `json:"nonce"`
	Version   string              `json:"version"`
	Tools     []string            `json:"tools"`
	Lists     []List              `json:"lists"`
	Libraries map[string][]string `json:"libraries"`
	// Explain leaves uv's words about a list that has no solution in the outputs;
	// else they fail the step.
	Explain bool `json:"explain"`
}

// ask runs a script that asks the package index and returns a file system with its
// outputs. Its request must differ each time, or BuildKit answers from its cache;
// llb.IgnoreCache is no way, as it would also empty the step's cache mounts.
func (b Builder) ask(name, script string, opts ...llb.RunOption) llb.State {
	command := func(script string) llb.RunOption {
		return llb.Args([]string{pythonPath, "-sP", path.Join(askPath, script)})
	}
	pip := llb.AddMount("/pip", b.pip, llb.Readonly)
	scripts := llb.AddMount(askPath, b.scripts(askScripts), llb.Readonly)
	// From the first module on: the interpreter's own have none.
	bytecode := llb.AddEnv("PYTHONPYCACHEPREFIX", path.Join(readyPath, "bytecode"))
	ready := b.run("prepare the resolver", nil, command("prepare.py"), pip, scripts, bytecode, llb.Network(llb.NetModeNone)).AddMount(readyPath, llb.Scratch())
	asking := []llb.RunOption{
		command(script),
		pip, scripts, bytecode,
		llb.AddMount(readyPath, ready, llb.Readonly),
		llbutil.NetworkSecrets(),
	}
	return b.run(name, nil, append(asking, opts...)...).AddMount("/out", llb.Scratch())
}

// Resolve asks the package index and returns a file system with the outputs.
func (b Builder) Resolve(r Resolution) llb.State {
	ask := request{Nonce: r.Nonce, Version: r.Version, Tools: []string{}, Lists: r.Lists, Libraries: r.Libraries, Explain: r.UV != nil}
	if ask.Libraries == nil {
		ask.Libraries = map[string][]string{}
	}
	ask.Lists = slices.Clone(r.Lists)
	for i := range ask.Lists {
		ask.Lists[i].fill()
	}
	opts := []llb.RunOption{
		b.shell(),
		llb.AddMount(cachePath, llb.Scratch(), llb.AsPersistentCacheDir("lucid-index", llb.CacheMountShared)),
	}
	if r.UV == nil {
		ask.Tools = []string{"uv", "ziglang"}
	} else {
		opts = append(opts, llb.AddMount("/uv", b.UV(r.UV), llb.Readonly))
	}
	// One step for all of them: each takes as long as many.
	files := llb.Mkfile("/ask.json", 0o644, marshal(ask))
	for _, name := range slices.Sorted(maps.Keys(r.Files)) {
		if dir := path.Dir("/" + name); dir != "/" {
			files = files.Mkdir(dir, 0o755, llb.WithParents(true))
		}
		files = files.Mkfile("/"+name, 0o644, r.Files[name])
	}
	asked := llb.Scratch().File(files, llb.Platform(b.platform), llb.WithCustomName("lists of packages"))
	opts = append(opts, llb.AddMount(path.Dir(locksPath), asked, llb.Readonly))
	return b.ask("resolve Python packages", "resolve.py", opts...)
}

func marshal(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err) // strings, lists and maps of strings always encode
	}
	return data
}
