package verify

import "fmt"

// checkLayers compares the first layers with those that a lock names.
func checkLayers(im *image) []hit {
	var hits []hit
	for i, want := range im.want.Layers {
		if i >= len(im.layers) {
			hits = append(hits, hit{path: "config:RootFS.DiffIDs", layer: -1, found: fmt.Sprintf("layer %d: missing, the lock says %s", i+1, want)})
		} else if got := im.layers[i].DiffID; got != want {
			hits = append(hits, hit{path: "config:RootFS.DiffIDs", layer: i, found: fmt.Sprintf("layer %d: %s, the lock says %s", i+1, got, want)})
		}
	}
	return hits
}

// checkDiffID compares what the config says of the layers with what they are.
func checkDiffID(im *image) []hit {
	const diffIDs, history = "config:RootFS.DiffIDs", "config:History"
	claimed := im.config.RootFS.DiffIDs
	var hits []hit
	if len(claimed) != len(im.layers) {
		hits = append(hits, hit{path: diffIDs, layer: -1, found: fmt.Sprintf("names %d layers, the image has %d", len(claimed), len(im.layers))})
	}
	for i, facts := range im.layers {
		if i < len(claimed) && claimed[i] != facts.DiffID {
			hits = append(hits, hit{path: diffIDs, layer: i, found: fmt.Sprintf("layer %d: says %s, its content is %s", i+1, claimed[i], facts.DiffID)})
		}
	}
	made := 0
	for _, h := range im.config.History {
		if !h.EmptyLayer {
			made++
		}
	}
	// The history may be left out, but not be wrong (image-spec, config.md).
	if len(im.config.History) > 0 && made != len(im.layers) {
		hits = append(hits, hit{path: history, layer: -1, found: fmt.Sprintf("tells how %d layers were made, the image has %d", made, len(im.layers))})
	}
	return hits
}
