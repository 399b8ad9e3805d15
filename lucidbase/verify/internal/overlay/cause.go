package overlay

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// FileFault is something wrong with a program or a library.
type FileFault struct {
	E *Entry
	// Found is what is said of a file alone. cause is what it has in common with
	// others, item what this one adds to that; an empty cause is found itself.
	Found, Cause, Item string
	Fix                string
}

// faultSet are the faults of one cause in one distribution, or in all files that
// belong to none.
type faultSet struct {
	owner  *DistInfo
	faults []FileFault
}

// OneCause makes one finding of faults with one cause: all of a distribution's
// libraries come from one build.
func (im *Image) OneCause(faults []FileFault) []Hit {
	type key struct {
		owner *DistInfo
		cause string
		layer int
	}
	var order []key
	sets := map[key]*faultSet{}
	for _, f := range faults {
		if f.Cause == "" {
			f.Cause = f.Found
		}
		k := key{im.Records().Owner[f.E.At], f.Cause, f.E.Layer}
		if sets[k] == nil {
			sets[k] = &faultSet{owner: k.owner}
			order = append(order, k)
		}
		sets[k].faults = append(sets[k].faults, f)
	}
	var hits []Hit
	for _, k := range order {
		s := sets[k]
		if len(s.faults) > Several || k.owner != nil && len(s.faults) > 1 {
			hits = append(hits, s.hit())
			continue
		}
		for _, f := range s.faults {
			hits = append(hits, f.E.Hit(f.Found).FixedBy(f.Fix))
		}
	}
	return hits
}

// hit is at the deepest directory that holds all of the files; where that is the
// directory of all distributions, at the distribution's own *.dist-info.
func (s *faultSet) hit() Hit {
	slices.SortFunc(s.faults, func(a, b FileFault) int { return strings.Compare(a.E.At, b.E.At) })
	first := s.faults[0]
	var items []string
	files := Group{}
	for _, f := range s.faults {
		if f.Item != "" && !slices.Contains(items[max(0, len(items)-maxItems):], f.Item) {
			items = append(items, f.Item)
		}
		if n := len(files.Entries); n == 0 || files.Entries[n-1] != f.E {
			files.Entries = append(files.Entries, f.E)
		}
	}
	slices.Sort(items)
	items = slices.Compact(items)
	found := first.Cause
	if len(items) > 0 {
		found += ": " + strings.Join(items[:min(len(items), maxItems)], ", ")
	}
	if more := len(items) - maxItems; more > 0 {
		found += fmt.Sprintf(" and %d more", more)
	}
	at := files.dir()
	if s.owner != nil && strings.HasPrefix(s.owner.Site, at) {
		at = s.owner.At
	}
	if len(files.Entries) > 1 {
		found += fmt.Sprintf(" (%s%s, such as %s)", Number(len(files.Entries), "file"), s.ofOwner(), first.E.At)
	}
	return Hit{Path: at, Layer: first.E.Layer, Found: found, Fix: first.Fix}
}

// maxItems is how many names a finding lists.
const maxItems = 20

func (s *faultSet) ofOwner() string {
	if s.owner == nil {
		return ""
	}
	return " of " + path.Base(s.owner.String())
}
