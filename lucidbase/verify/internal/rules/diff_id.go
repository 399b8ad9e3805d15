package rules

import (
	"fmt"

	"github.com/lucid-project/base-images/lucidbase/verify/internal/overlay"
)

var diffIDRule = Rule{
	Name:    "diff-id",
	Summary: "the config names each layer by the digest that it has, and its history has an entry for each",
	Why:     "a runtime refuses the image, or a scanner sees other layers than those that run",
	Fix:     "write the config with the tool that writes the layers",
	Check:   checkDiffID,
}

// checkDiffID compares what the config says of the layers with what they are.
func checkDiffID(im *overlay.Image) []overlay.Hit {
	const diffIDs, history = "config:RootFS.DiffIDs", "config:History"
	claimed := im.Config.RootFS.DiffIDs
	var hits []overlay.Hit
	if len(claimed) != len(im.Layers) {
		hits = append(hits, overlay.Hit{Path: diffIDs, Layer: -1, Found: fmt.Sprintf("names %d layers, the image has %d", len(claimed), len(im.Layers))})
	}
	for i, facts := range im.Layers {
		if i < len(claimed) && claimed[i] != facts.DiffID {
			hits = append(hits, overlay.Hit{Path: diffIDs, Layer: i, Found: fmt.Sprintf("layer %d: says %s, its content is %s", i+1, claimed[i], facts.DiffID)})
		}
	}
	made := 0
	for _, h := range im.Config.History {
		if !h.EmptyLayer {
			made++
		}
	}
	// The history may be left out, but not be wrong (image-spec, config.md).
	if len(im.Config.History) > 0 && made != len(im.Layers) {
		hits = append(hits, overlay.Hit{Path: history, Layer: -1, Found: fmt.Sprintf("describes %d layers, the image has %d", made, len(im.Layers))})
	}
	return hits
}
