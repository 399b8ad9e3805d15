package overlay

import (
	"path"
	"slices"
	"strings"
)

// Group is several files that make one finding: those of one layer and fate.
type Group struct {
	Key     GroupKey
	Entries []*Entry
}

// GroupKey is what the files of a group have in common.
type GroupKey struct {
	Name     string
	Layer    int
	hiddenBy int
	deleted  bool
}

// Groups collects files; they come out in the order in which they were first seen.
type Groups struct {
	byKey map[GroupKey]*Group
	Order []*Group
}

// NewGroups returns no groups yet.
func NewGroups() *Groups { return &Groups{byKey: map[GroupKey]*Group{}} }

// Add puts a file into the group of this name, its layer and its fate.
func (gs *Groups) Add(e *Entry, name string) {
	k := GroupKey{name, e.Layer, e.HiddenBy, e.Deleted}
	g := gs.byKey[k]
	if g == nil {
		g = &Group{Key: k}
		gs.byKey[k] = g
		gs.Order = append(gs.Order, g)
	}
	g.Entries = append(g.Entries, e)
}

// Hits makes a finding of each group, at the file itself when there is one, else
// at the deepest directory that holds them all.
func (gs *Groups) Hits(found func(*Group) string) []Hit {
	var hits []Hit
	for _, g := range gs.Order {
		h := g.Entries[0].Hit(found(g))
		h.Path = g.dir()
		hits = append(hits, h)
	}
	return hits
}

func (g *Group) dir() string {
	if len(g.Entries) == 1 {
		return g.Entries[0].Path
	}
	common := strings.Split(path.Dir(g.Entries[0].Path), "/")
	for _, e := range g.Entries[1:] {
		other := strings.Split(path.Dir(e.Path), "/")
		n := 0
		for n < len(common) && n < len(other) && common[n] == other[n] {
			n++
		}
		common = common[:n]
	}
	return "/" + path.Join(common...)
}

// Size is that of the files, in bytes.
func (g *Group) Size() int64 {
	var n int64
	for _, e := range g.Entries {
		n += e.Size
	}
	return n
}

// Names lists the groups' first files' base names, sorted, without repeats.
func (g *Group) Names() []string {
	var names []string
	for _, e := range g.Entries {
		names = append(names, path.Base(e.At))
	}
	slices.Sort(names)
	return slices.Compact(names)
}
