package rules

import (
	"fmt"
	"strings"

	"github.com/lucid-project/base-images/lucidbase/verify/internal/overlay"
	"github.com/lucid-project/base-images/lucidbase/verify/internal/scan"
)

var deletedRule = Rule{
	Name:    "deleted",
	Summary: "no file that a later layer deletes",
	Why:     "it is still in the image: pulled, stored, and readable by everybody who has it",
	Fix:     "do not add it, or delete it in the layer that adds it",
	Check:   checkDeleted,
}

// checkDeleted makes one finding for each thing deleted and layer that holds it: a
// directory that was deleted as a whole is one. What is deleted and written again
// is replaced.
func checkDeleted(im *overlay.Image) []overlay.Hit {
	last := map[string]int{}
	for _, e := range im.Entries {
		last[e.At] = e.Layer
	}
	whiteouts := whiteoutsOf(im)
	gs := overlay.NewGroups()
	for _, e := range im.Entries {
		if e.Deleted && e.Kind != scan.Directory && last[e.At] < e.HiddenBy {
			gs.Add(e, whiteouts.above(e))
		}
	}
	var hits []overlay.Hit
	for _, g := range gs.Order {
		e := g.Entries[0]
		h := overlay.Hit{Path: g.Key.Name, Layer: g.Key.Layer}
		by := "layer " + im.Layers[e.HiddenBy].DiffID.String()
		if len(g.Entries) == 1 {
			h.Path = e.Path
			h.Found = fmt.Sprintf("deleted by %s, but its %d bytes are still in the image", by, e.Size)
		} else {
			h.Found = fmt.Sprintf("deleted by %s, but its %d files of %d bytes are still in the image", by, len(g.Entries), g.Size())
		}
		hits = append(hits, h)
	}
	return hits
}

// whiteouts are the places that each layer deletes.
type whiteouts []map[string]bool

func whiteoutsOf(im *overlay.Image) whiteouts {
	ws := make(whiteouts, len(im.Layers))
	for i := range im.Layers {
		ws[i] = map[string]bool{}
		for j := range im.Layers[i].Files {
			switch f := &im.Layers[i].Files[j]; f.Kind {
			case scan.Whiteout:
				ws[i][im.Place(f.Path)] = true
			case scan.Opaque:
				at, _ := im.Follow(f.Path)
				ws[i][at] = true
			}
		}
	}
	return ws
}

// above returns the topmost deleted place that an entry is at or below.
func (ws whiteouts) above(e *overlay.Entry) string {
	for i := 1; i <= len(e.At); i++ {
		if i == len(e.At) || e.At[i] == '/' {
			if ws[e.HiddenBy][strings.TrimSuffix(e.At[:i], "/")] {
				return e.At[:i]
			}
		}
	}
	return e.Path
}
