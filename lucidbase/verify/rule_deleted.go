package verify

import (
	"fmt"
	"strings"
)

// checkDeleted makes one finding for each thing deleted and layer that holds it: a
// directory that was deleted as a whole is one. What is deleted and written again
// is replaced.
func checkDeleted(im *image) []hit {
	last := map[string]int{}
	for _, e := range im.entries {
		last[e.at] = e.layer
	}
	whiteouts := im.whiteouts()
	gs := newGroups()
	for _, e := range im.entries {
		if e.deleted && e.Kind != Directory && last[e.at] < e.hiddenBy {
			gs.add(e, whiteouts.above(e))
		}
	}
	var hits []hit
	for _, g := range gs.order {
		e := g.entries[0]
		h := hit{path: g.key.name, layer: g.key.layer}
		by := "layer " + im.layers[e.hiddenBy].DiffID.String()
		if len(g.entries) == 1 {
			h.path = e.Path
			h.found = fmt.Sprintf("deleted by %s, but its %d bytes are still in the image", by, e.Size)
		} else {
			h.found = fmt.Sprintf("deleted by %s, but its %d files of %d bytes are still in the image", by, len(g.entries), g.size())
		}
		hits = append(hits, h)
	}
	return hits
}

// whiteouts are the places that each layer deletes.
type whiteouts []map[string]bool

func (im *image) whiteouts() whiteouts {
	ws := make(whiteouts, len(im.layers))
	for i := range im.layers {
		ws[i] = map[string]bool{}
		for j := range im.layers[i].Files {
			switch f := &im.layers[i].Files[j]; f.Kind {
			case Whiteout:
				ws[i][im.place(f.Path)] = true
			case Opaque:
				at, _ := im.follow(f.Path)
				ws[i][at] = true
			}
		}
	}
	return ws
}

// above gives the topmost deleted place that an entry is at or below.
func (ws whiteouts) above(e *entry) string {
	for i := 1; i <= len(e.at); i++ {
		if i == len(e.at) || e.at[i] == '/' {
			if ws[e.hiddenBy][strings.TrimSuffix(e.at[:i], "/")] {
				return e.at[:i]
			}
		}
	}
	return e.Path
}
