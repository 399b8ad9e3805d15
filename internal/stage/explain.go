package stage

import (
	"path"

	"github.com/moby/buildkit/client/llb"

	"github.com/lucid-project/base-images/lucidbase/lock"
)

// AnswersOutput is the file in which Explain leaves its answers.
const AnswersOutput = "answers.json"

// Explain asks the package index through uv and pip. jobs is the JSON of an object with
// "jobs", as package explain has them, the "targets" that the packages are for, of
// lock.WheelTargets, the "version" of Debian's Python, the "seconds" that there are,
// and a "nonce", as Resolution has one. The file system that it returns has the answers
// in the order of the jobs.
func (b Builder) Explain(uv lock.Requirements, jobs []byte) llb.State {
	return b.ask("explain requirements", "explain.py",
		llb.AddMount("/uv", b.UV(uv), llb.Readonly),
		llb.AddMount(path.Dir(locksPath), b.file("/jobs.json", jobs), llb.Readonly),
		// Sources may run here: what they leave must not be what an image installs.
		llb.AddMount("/root/.cache/uv", llb.Scratch(), llb.AsPersistentCacheDir("lucid-uv-explain", llb.CacheMountShared)))
}
