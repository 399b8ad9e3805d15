package verify

import (
	"fmt"
	"maps"
	"path"
	"slices"

	"github.com/lucid-project/base-images/lucidbase/verify/internal/python"
)

// checkPackages compares the package databases with the lock.
func checkPackages(im *image) []hit {
	want := im.want.Packages
	if want == nil {
		return nil
	}
	var hits []hit
	seen := map[string]bool{}
	im.visible(func(e *entry) {
		for _, p := range e.content().Packages {
			seen[p.Name] = true
			if version, ok := want[p.Name]; !ok {
				hits = append(hits, e.hit(fmt.Sprintf("%s %s, which the lock does not have", p.Name, p.Version)))
			} else if version != p.Version {
				hits = append(hits, e.hit(fmt.Sprintf("%s %s, the lock says %s", p.Name, p.Version, version)))
			}
		}
	})
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if !seen[name] {
			hits = append(hits, hit{path: "packages:" + name, layer: -1, found: fmt.Sprintf("missing, the lock says %s", want[name])})
		}
	}
	return hits
}

// checkDistributions compares the installed Python distributions with the lock.
func checkDistributions(im *image) []hit {
	want := im.want.Distributions
	if want == nil {
		return nil
	}
	var hits []hit
	seen := map[string]bool{}
	im.visible(func(e *entry) {
		d := e.content().Distribution
		if d == nil || !installed(e.at) {
			return
		}
		name := python.Name(d.Name)
		seen[name] = true
		if version, ok := want[name]; !ok {
			hits = append(hits, e.hit(fmt.Sprintf("%s %s, which the lock does not have", d.Name, d.Version)))
		} else if version != d.Version {
			hits = append(hits, e.hit(fmt.Sprintf("%s %s, the lock says %s", d.Name, d.Version, version)))
		}
	})
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if !seen[name] {
			hits = append(hits, hit{path: "distributions:" + name, layer: -1, found: fmt.Sprintf("missing, the lock says %s", want[name])})
		}
	}
	return hits
}

// installed tells a distribution that can be imported from one that another
// carries inside it (setuptools/_vendor/...).
func installed(metadata string) bool {
	site := path.Base(path.Dir(path.Dir(metadata)))
	return site == "site-packages" || site == "dist-packages"
}
