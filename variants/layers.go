package variants

import (
	"errors"
	"fmt"
	"slices"

	"github.com/lucid-project/base-images/internal/python"
	"github.com/lucid-project/base-images/internal/stage"
	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/lock"
)

// layer is a set of packages that are installed together.
type layer struct {
	what    string
	reqs    lock.Requirements
	sources lock.Sources // of reqs
}

// layers lists the layers of packages for a target, the lowest first. No package is
// in two.
func (d base) layers(t stage.Target) ([]layer, error) {
	further, err := needed("Packages", d.Packages, t)
	if err != nil {
		return nil, err
	}
	var all []layer
	var lower lock.Requirements
	for _, tier := range d.tiers() {
		own, err := d.Locks.Own(tier)
		if err != nil {
			return nil, err
		}
		if own, err = needed(tier.LockFile(), own, t); err != nil {
			return nil, err
		}
		own = without(own, lower)
		lower = append(lower, own...)
		further = slices.DeleteFunc(further, func(r lock.Requirement) bool {
			return slices.ContainsFunc(own, func(o lock.Requirement) bool { return same(o, r) })
		})
		kept := without(own, further)
		if len(own) > 0 && len(kept) == 0 {
			continue // a layer of nothing
		}
		all = append(all, layer{string(tier) + " packages", kept, sourcesOf(d.Locks.Sources[tier], kept)})
	}
	if len(further) > 0 {
		all = append(all, layer{"further packages", further, sourcesOf(d.Sources, further)})
	}
	return all, nil
}

// needed returns the requirements whose markers hold on the target, without these:
// a line for another system must not take the place of one for this. name is what
// errors call the list.
func needed(name string, reqs lock.Requirements, t stage.Target) (lock.Requirements, error) {
	var own lock.Requirements
	var errs []error
	seen := map[string]string{}
	for _, r := range reqs {
		ok, err := holds(r.Marker, t)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %s: %w", name, r.Name, err))
		}
		if !ok {
			continue
		}
		if before, twice := seen[lock.NormalizeName(r.Name)]; twice {
			errs = append(errs, fmt.Errorf("%s: %s: versions %s and %s for %s", name, r.Name, before, r.Version, lucidbase.FormatPlatform(t.Platform)))
		}
		seen[lock.NormalizeName(r.Name)] = r.Version
		r.Marker = ""
		own = append(own, r)
	}
	return own, errors.Join(errs...)
}

func holds(marker string, t stage.Target) (bool, error) {
	if marker == "" {
		return true, nil
	}
	m, err := python.ParseMarker(marker)
	if err != nil {
		return false, err
	}
	return m.Holds(t.Markers())
}

// same tells whether one requirement asks for what the other does.
func same(a, b lock.Requirement) bool { return named(a, b) && a.Version == b.Version }

func named(a, b lock.Requirement) bool {
	return lock.NormalizeName(a.Name) == lock.NormalizeName(b.Name)
}

// without gives the requirements whose names others do not have.
func without(reqs, others lock.Requirements) lock.Requirements {
	return slices.DeleteFunc(slices.Clone(reqs), func(r lock.Requirement) bool {
		return slices.ContainsFunc(others, func(o lock.Requirement) bool { return named(o, r) })
	})
}

// sourcesOf gives the sources that may take the place of a requirement, without
// markers, as these are.
func sourcesOf(sources lock.Sources, reqs lock.Requirements) lock.Sources {
	var own lock.Sources
	for _, s := range sources {
		of := func(r lock.Requirement) bool { return lock.NormalizeName(r.Name) == s.Name && r.Version == s.Version }
		if slices.ContainsFunc(reqs, of) {
			s.Marker = ""
			own = append(own, s)
		}
	}
	return own
}
