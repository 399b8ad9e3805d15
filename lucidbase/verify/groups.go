package verify

import (
	"path"
	"slices"
	"strings"
)

// group is several files that make one finding: those of one layer and fate.
type group struct {
	key     groupKey
	entries []*entry
}

type groupKey struct {
	name     string
	layer    int
	hiddenBy int
	deleted  bool
}

// groups collects files; they come out in the order in which they were first seen.
type groups struct {
	byKey map[groupKey]*group
	order []*group
}

func newGroups() *groups { return &groups{byKey: map[groupKey]*group{}} }

func (gs *groups) add(e *entry, name string) {
	k := groupKey{name, e.layer, e.hiddenBy, e.deleted}
	g := gs.byKey[k]
	if g == nil {
		g = &group{key: k}
		gs.byKey[k] = g
		gs.order = append(gs.order, g)
	}
	g.entries = append(g.entries, e)
}

// hits makes a finding of each group, at the file itself when there is one, else
// at the deepest directory that holds them all.
func (gs *groups) hits(found func(*group) string) []hit {
	var hits []hit
	for _, g := range gs.order {
		h := g.entries[0].hit(found(g))
		h.path = g.dir()
		hits = append(hits, h)
	}
	return hits
}

func (g *group) dir() string {
	if len(g.entries) == 1 {
		return g.entries[0].Path
	}
	common := strings.Split(path.Dir(g.entries[0].Path), "/")
	for _, e := range g.entries[1:] {
		other := strings.Split(path.Dir(e.Path), "/")
		n := 0
		for n < len(common) && n < len(other) && common[n] == other[n] {
			n++
		}
		common = common[:n]
	}
	return "/" + path.Join(common...)
}

// size is that of the files, in bytes.
func (g *group) size() int64 {
	var n int64
	for _, e := range g.entries {
		n += e.Size
	}
	return n
}

// names lists the groups' first files' base names, sorted, without repeats.
func (g *group) names() []string {
	var names []string
	for _, e := range g.entries {
		names = append(names, path.Base(e.at))
	}
	slices.Sort(names)
	return slices.Compact(names)
}
