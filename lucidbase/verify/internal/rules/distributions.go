package rules

import (
	"fmt"
	"maps"
	"path"
	"slices"

	"github.com/lucid-project/base-images/internal/names"
	"github.com/lucid-project/base-images/lucidbase/verify/internal/overlay"
)

var distributionsRule = Rule{
	Name:    "distributions",
	Summary: "the Python distributions are those of the lock, in its versions, when one is given",
	Why:     "what is not in the lock nobody has reviewed, and nobody can build again",
	Fix:     "build the image again from its lock, or bring the lock up to date and review it",
	Check:   checkDistributions,
}

// checkDistributions compares the installed Python distributions with the lock.
func checkDistributions(im *overlay.Image) []overlay.Hit {
	want := im.Want.Distributions
	if want == nil {
		return nil
	}
	var hits []overlay.Hit
	seen := map[string]bool{}
	im.Visible(func(e *overlay.Entry) {
		d := e.Content().Distribution
		if d == nil || !installed(e.At) {
			return
		}
		name := names.Normalize(d.Name)
		seen[name] = true
		if version, ok := want[name]; !ok {
			hits = append(hits, e.Hit(fmt.Sprintf("%s %s, which the lock does not have", d.Name, d.Version)))
		} else if version != d.Version {
			hits = append(hits, e.Hit(fmt.Sprintf("%s %s, the lock says %s", d.Name, d.Version, version)))
		}
	})
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if !seen[name] {
			hits = append(hits, overlay.Hit{Path: "distributions:" + name, Layer: -1, Found: fmt.Sprintf("missing, the lock says %s", want[name])})
		}
	}
	return hits
}

// installed reports whether a distribution can be imported: it is none that another
// carries inside it (setuptools/_vendor/...).
func installed(metadata string) bool {
	site := path.Base(path.Dir(path.Dir(metadata)))
	return site == "site-packages" || site == "dist-packages"
}
