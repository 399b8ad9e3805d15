package rules

import (
	"github.com/lucid-project/base-images/lucidbase/verify/internal/overlay"
)

var packedRule = Rule{
	Name:    "packed",
	Summary: "no packed executable",
	Why:     "its content cannot be judged, by this check or by a scanner",
	Fix:     "ship the program as it was linked",
	Check:   checkPacked,
}

func checkPacked(im *overlay.Image) []overlay.Hit {
	var hits []overlay.Hit
	for _, e := range im.Entries {
		if e.Content().Program == "upx" {
			hits = append(hits, e.Hit("an executable packed with UPX"))
		}
	}
	return hits
}
