package stage

import (
	"fmt"
	"path"

	"github.com/moby/buildkit/client/llb"

	"github.com/lucid-project/base-images/llbutil"
	"github.com/lucid-project/base-images/lucidbase/lock"
)

// Installation is a step that installs wheels for one target, or wheels that run
// everywhere.
type Installation struct {
	// Name is shown while the step runs.
	Name string
	// Target is what the wheels are for; nil for those that run everywhere.
	Target *Target
	// Version is the full version of the interpreter that they are for.
	Version string
	// Sets are the layers that the step leaves, each with one hash a requirement.
	Sets []lock.Requirements
	// Compiled holds a wheel that was made here, in the place of the only set's hash.
	Compiled *llb.State
}

const layersPath = "/locks/layers.json"

// layersRequest is how stage.py reads what Layers is asked for.
type layersRequest struct {
	Platform string `json:"platform"`
	Version  string `json:"version"`
	// Layers map each distribution to its line, which is empty for a compiled one.
	Layers []map[string]string `json:"layers"`
}

// Layers installs wheels on an empty venv and returns a file system for each set:
// its distributions' files and their bytecode, and nothing else. What is in it
// depends on the set alone.
func (b Builder) Layers(uv llb.State, in Installation) []llb.State {
	ask := layersRequest{Version: in.Version}
	if in.Target != nil {
		ask.Platform = in.Target.uv()
	}
	for _, set := range in.Sets {
		lines := map[string]string{}
		for _, r := range set {
			lines[r.Name] = string(lock.Requirements{r}.Format())
			if in.Compiled != nil {
				lines[r.Name] = ""
			}
		}
		ask.Layers = append(ask.Layers, lines)
	}
	opts := []llb.RunOption{
		llb.AddMount("/uv", uv, llb.Readonly),
		llb.AddMount("/root/.cache/uv", llb.Scratch(), llb.AsPersistentCacheDir("lucid-uv", llb.CacheMountShared)),
		llb.AddMount(path.Dir(layersPath), b.file(layersPath, marshal(ask)), llb.Readonly),
		llbutil.NetworkSecrets(),
	}
	if in.Compiled != nil {
		opts = append(opts, llb.AddMount("/wheels", *in.Compiled, llb.Readonly))
	}
	run := b.run(in.Name, []string{"layers", layersPath}, opts...)
	states := make([]llb.State, len(in.Sets))
	for i := range states {
		states[i] = run.AddMount(fmt.Sprintf("/out/%d", i), llb.Scratch())
	}
	return states
}
