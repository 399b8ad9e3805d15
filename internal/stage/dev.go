package stage

import (
	"embed"
	"path"

	"github.com/moby/buildkit/client/llb"
)

//go:embed dev.py
var devScripts embed.FS

const devScript = "/dev-twin/dev.py"

// DevPath is the virtual environment that the user of a twin for build stages may write.
const DevPath = "/opt/packages"

// Dev returns a file system with that environment, which sees the packages of VenvPath, and
// the command pip, from the wheel that is among the packages of a twin.
func (b Builder) Dev(t Target, packages llb.State) llb.State {
	run := b.run(t.Label()+" pip", nil,
		llb.Args([]string{pythonPath, "-sP", devScript, DevPath, t.Version, t.Prefix}),
		llb.AddMount(path.Dir(devScript), b.scripts(devScripts), llb.Readonly),
		llb.AddMount("/packages", packages, llb.Readonly),
		llb.Network(llb.NetModeNone))
	return run.AddMount("/out", llb.Scratch())
}
