package stage

import (
	"embed"
	"fmt"
	"path"

	"github.com/moby/buildkit/client/llb"
)

//go:embed service.py
var serviceScripts embed.FS

// Service is a step that lays out a service's own files.
type Service struct {
	// Name is shown while the step runs.
	Name string
	// From are the directories, by what the client calls them, with what people do.
	From []Directory
	// Writable are directories that the image's user owns.
	Writable []string
}

// Directory is a directory of the client, and where its content goes in an image.
type Directory struct {
	Local string
	Shown string
	To    string
}

const (
	serviceScript = "/service/service.py"
	servicePath   = "/locks/service.json"
)

// serviceRequest is how service.py reads what Service is asked for.
type serviceRequest struct {
	Sources  []serviceDirectory `json:"sources"`
	Writable []string           `json:"writable"`
}

type serviceDirectory struct {
	Shown string `json:"shown"`
	To    string `json:"to"`
}

// Service returns a file system with a service's files and their bytecode. It is the
// same for all targets.
func (b Builder) Service(s Service) llb.State {
	ask := serviceRequest{Sources: []serviceDirectory{}, Writable: append([]string{}, s.Writable...)}
	opts := []llb.RunOption{
		llb.Args([]string{pythonPath, "-sP", serviceScript, servicePath}),
		llb.AddMount(path.Dir(serviceScript), b.scripts(serviceScripts), llb.Readonly),
		llb.Network(llb.NetModeNone),
	}
	for i, d := range s.From {
		ask.Sources = append(ask.Sources, serviceDirectory{d.Shown, d.To})
		local := llb.Local(d.Local, llb.Platform(b.platform), llb.WithCustomName("read "+d.Shown))
		opts = append(opts, llb.AddMount(fmt.Sprintf("/source/%d", i), local, llb.Readonly))
	}
	opts = append(opts, llb.AddMount(path.Dir(servicePath), b.file(servicePath, marshal(ask)), llb.Readonly))
	return b.run(s.Name, nil, opts...).AddMount("/out", llb.Scratch())
}
