// Package lucidbase holds the nouns that everything else is written in: a Spec
// describes an image, a Graph is what it takes to build it, and Platforms say
// for whom and by whom.
//
// The package is pure: nothing in it reads a clock, the environment, the
// network or the machine that it runs on. The same Spec, locks and platforms
// make the same Graph, byte for byte, on every machine.
package lucidbase

import (
	"maps"
	"slices"
	"strings"

	"github.com/moby/buildkit/client/llb"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/lucid-project/base-images/lucidbase/verify"
)

// Spec describes an image. Its implementations are plain structs whose zero
// value is a good default.
type Spec interface {
	// Graph returns what it takes to build the image for one platform. Every
	// missing or wrong field is reported at once, by name.
	Graph(p Platforms) (Graph, error)
}

// SpecFunc is a function that is a Spec.
type SpecFunc func(p Platforms) (Graph, error)

// Graph calls f.
func (f SpecFunc) Graph(p Platforms) (Graph, error) { return f(p) }

// Platforms are the two platforms of a build. Both are values of this package
// (LinuxAMD64, LinuxARM64) or results of ParsePlatform.
type Platforms struct {
	// Target is what the image runs on.
	Target ocispecs.Platform
	// Build is what the build's own tools run on: the engine's platform. It
	// never changes the resulting image.
	Build ocispecs.Platform
	// Upstreams are what the engine knows of images that a lock names by digest
	// alone; nil where none is needed, or before one was asked for.
	Upstreams Upstreams
}

// Graph is one platform's image before it is built.
type Graph struct {
	// State is the image's file system.
	State llb.State
	// Config is the image's configuration, without diff IDs, with one history
	// entry for each layer of State. OCI's own type has no health check.
	Config dockerspec.DockerOCIImage
	// Inputs are the layers that State names by digest and the client supplies.
	Inputs []Input
	// Locals are the directories of the client that State names, by the name that
	// llb.Local has.
	Locals map[string]Local
	// Notes are lines for whoever builds the image, about what works and could be better.
	Notes []string
	// Contract is what the finished image is held to before anyone gets it: its
	// locks' names and versions, and what is waived. The zero value holds it to
	// every rule that needs no lock; there is no way to hold it to none. The
	// platform is filled in; Only and Except must be empty.
	Contract verify.Contract
}

// WaiversLabel names the label that lists, for people, what an image was excused
// from: a line "RULE:PATH=REASON" each. Whoever verifies the image believes none
// of it.
const WaiversLabel = "io.github.lucid-project.waivers"

// ImageConfig returns the configuration that the image gets: Config, with the
// waivers' label when there are any.
func (g Graph) ImageConfig() dockerspec.DockerOCIImage {
	config := g.Config
	if len(g.Contract.Waivers) == 0 {
		return config
	}
	lines := make([]string, len(g.Contract.Waivers))
	for i, w := range g.Contract.Waivers {
		lines[i] = w.String()
	}
	slices.Sort(lines)
	config.Config.Labels = maps.Clone(config.Config.Labels)
	if config.Config.Labels == nil {
		config.Config.Labels = map[string]string{}
	}
	config.Config.Labels[WaiversLabel] = strings.Join(lines, "\n")
	return config
}
