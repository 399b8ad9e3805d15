package llbtext

import (
	"encoding/json"

	"github.com/moby/buildkit/client/llb"

	"github.com/lucid-project/base-images/lucidbase"
)

// Graph writes a graph whole: the operations of its marshalled state, its inputs and
// the image's configuration.
func Graph(def *llb.Definition, g lucidbase.Graph) (string, error) {
	ops, err := Ops(def)
	if err != nil {
		return "", err
	}
	config, err := json.MarshalIndent(g.Config, "", "  ")
	if err != nil {
		return "", err
	}
	text := Text(ops)
	for _, in := range g.Inputs {
		text += "input " + in.String() + " " + in.Layer.Digest + "\n"
	}
	return text + string(config) + "\n", nil
}
