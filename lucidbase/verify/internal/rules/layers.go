package rules

import (
	"fmt"

	"github.com/lucid-project/base-images/lucidbase/verify/internal/overlay"
)

var layersRule = Rule{
	Name:    "layers",
	Summary: "the first layers are those that the lock names by digest, when one is given",
	Why:     "the image stands on other files than those that were reviewed",
	Fix:     "build the image again from its lock",
	Check:   checkLayers,
}

// checkLayers compares the first layers with those that a lock names.
func checkLayers(im *overlay.Image) []overlay.Hit {
	var hits []overlay.Hit
	for i, want := range im.Want.Layers {
		if i >= len(im.Layers) {
			hits = append(hits, overlay.Hit{Path: "config:RootFS.DiffIDs", Layer: -1, Found: fmt.Sprintf("layer %d: missing, the lock says %s", i+1, want)})
		} else if got := im.Layers[i].DiffID; got != want {
			hits = append(hits, overlay.Hit{Path: "config:RootFS.DiffIDs", Layer: i, Found: fmt.Sprintf("layer %d: %s, the lock says %s", i+1, got, want)})
		}
	}
	return hits
}
