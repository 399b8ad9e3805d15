package variants

import (
	"slices"

	"github.com/lucid-project/base-images/lucidbase/lock"
)

// layer is a set of packages that are installed together.
type layer struct {
	what    string
	reqs    lock.Requirements
	sources lock.Sources // of reqs
}

// layers lists the layers of packages, the lowest first. No package is in two.
func (d base) layers() ([]layer, error) {
	further := slices.Clone(d.Packages)
	var all []layer
	for _, tier := range d.tiers() {
		own, err := d.Locks.Own(tier)
		if err != nil {
			return nil, err
		}
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

// same tells whether one requirement asks for what the other does.
func same(a, b lock.Requirement) bool {
	return named(a, b) && a.Version == b.Version && a.Marker == b.Marker
}

func named(a, b lock.Requirement) bool {
	return lock.NormalizeName(a.Name) == lock.NormalizeName(b.Name)
}

// without gives the requirements whose names others do not have.
func without(reqs, others lock.Requirements) lock.Requirements {
	return slices.DeleteFunc(slices.Clone(reqs), func(r lock.Requirement) bool {
		return slices.ContainsFunc(others, func(o lock.Requirement) bool { return named(o, r) })
	})
}

// sourcesOf gives the sources that may take the place of a requirement.
func sourcesOf(sources lock.Sources, reqs lock.Requirements) lock.Sources {
	return slices.DeleteFunc(slices.Clone(sources), func(s lock.Source) bool {
		return !slices.ContainsFunc(reqs, func(r lock.Requirement) bool { return lock.NormalizeName(r.Name) == s.Name && r.Marker == s.Marker })
	})
}
