package rules

import (
	"slices"

	"github.com/lucid-project/base-images/lucidbase/verify/internal/overlay"
)

var capabilitiesRule = Rule{
	Name:    "capabilities",
	Summary: "no file with capabilities",
	Why:     "whoever runs it gets a part of root's power",
	Fix:     "remove the attribute (setcap -r), and give the container what it needs",
	Check:   checkCapabilities,
}

func checkCapabilities(im *overlay.Image) []overlay.Hit {
	var hits []overlay.Hit
	im.Visible(func(e *overlay.Entry) {
		if slices.Contains(e.Content().Xattrs, "security.capability") || slices.Contains(e.Xattrs, "security.capability") {
			hits = append(hits, e.Hit("has file capabilities (security.capability)"))
		}
	})
	return hits
}
