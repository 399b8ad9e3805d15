package verify

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// fileFault is something wrong with a program or a library.
type fileFault struct {
	e *entry
	// found is what is said of a file alone. cause is what it has in common with
	// others, item what this one adds to that; an empty cause is found itself.
	found, cause, item string
	fix                string
}

// faultSet are the faults of one cause in one distribution, or in all files that
// belong to none.
type faultSet struct {
	owner  *distInfo
	faults []fileFault
}

// oneCause makes one finding of faults with one cause: all of a distribution's
// libraries come from one build.
func (im *image) oneCause(faults []fileFault) []hit {
	type key struct {
		owner *distInfo
		cause string
		layer int
	}
	var order []key
	sets := map[key]*faultSet{}
	for _, f := range faults {
		if f.cause == "" {
			f.cause = f.found
		}
		k := key{im.recorded().owner[f.e.at], f.cause, f.e.layer}
		if sets[k] == nil {
			sets[k] = &faultSet{owner: k.owner}
			order = append(order, k)
		}
		sets[k].faults = append(sets[k].faults, f)
	}
	var hits []hit
	for _, k := range order {
		s := sets[k]
		if len(s.faults) > several || k.owner != nil && len(s.faults) > 1 {
			hits = append(hits, s.hit())
			continue
		}
		for _, f := range s.faults {
			hits = append(hits, f.e.hit(f.found).fixedBy(f.fix))
		}
	}
	return hits
}

// hit is at the deepest directory that holds all of the files; where that is the
// directory of all distributions, at the distribution's own *.dist-info.
func (s *faultSet) hit() hit {
	slices.SortFunc(s.faults, func(a, b fileFault) int { return strings.Compare(a.e.at, b.e.at) })
	first := s.faults[0]
	var items []string
	files := group{}
	for _, f := range s.faults {
		if f.item != "" && !slices.Contains(items[max(0, len(items)-maxItems):], f.item) {
			items = append(items, f.item)
		}
		if n := len(files.entries); n == 0 || files.entries[n-1] != f.e {
			files.entries = append(files.entries, f.e)
		}
	}
	slices.Sort(items)
	items = slices.Compact(items)
	found := first.cause
	if len(items) > 0 {
		found += ": " + strings.Join(items[:min(len(items), maxItems)], ", ")
	}
	if more := len(items) - maxItems; more > 0 {
		found += fmt.Sprintf(" and %d more", more)
	}
	at := files.dir()
	if s.owner != nil && strings.HasPrefix(s.owner.site, at) {
		at = s.owner.at
	}
	if len(files.entries) > 1 {
		found += fmt.Sprintf(" (%s%s, such as %s)", about(len(files.entries), "file"), s.ofOwner(), first.e.at)
	}
	return hit{path: at, layer: first.e.layer, found: found, fix: first.fix}
}

// maxItems is how many names a finding lists.
const maxItems = 20

func (s *faultSet) ofOwner() string {
	if s.owner == nil {
		return ""
	}
	return " of " + path.Base(s.owner.String())
}
