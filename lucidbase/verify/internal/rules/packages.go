package rules

import (
	"fmt"
	"maps"
	"slices"

	"github.com/lucid-project/base-images/lucidbase/verify/internal/overlay"
)

var packagesRule = Rule{
	Name:    "packages",
	Summary: "the system's packages are those of the lock, in its versions, when one is given",
	Why:     "what is not in the lock nobody has reviewed, and nobody can build again",
	Fix:     "build the image again from its lock, or bring the lock up to date and review it",
	Check:   checkPackages,
}

// checkPackages compares the package databases with the lock.
func checkPackages(im *overlay.Image) []overlay.Hit {
	want := im.Want.Packages
	if want == nil {
		return nil
	}
	var hits []overlay.Hit
	seen := map[string]bool{}
	im.Visible(func(e *overlay.Entry) {
		for _, p := range e.Content().Packages {
			seen[p.Name] = true
			if version, ok := want[p.Name]; !ok {
				hits = append(hits, e.Hit(fmt.Sprintf("%s %s, which the lock does not have", p.Name, p.Version)))
			} else if version != p.Version {
				hits = append(hits, e.Hit(fmt.Sprintf("%s %s, the lock says %s", p.Name, p.Version, version)))
			}
		}
	})
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if !seen[name] {
			hits = append(hits, overlay.Hit{Path: "packages:" + name, Layer: -1, Found: fmt.Sprintf("missing, the lock says %s", want[name])})
		}
	}
	return hits
}
