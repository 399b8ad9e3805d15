package verify

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/lucid-project/base-images/lucidbase/verify/internal/python"
)

// collision is a path that several distributions list with different hashes.
type collision struct {
	*entry
	claims []claim
}

// claim is a distribution that lists a path, and the SHA-256 that its RECORD has for
// it; empty for none.
type claim struct {
	*distInfo
	sha256 string
}

// checkCollision finds distributions that have overwritten each other's files. What
// the same ones have in one directory of modules is one fault.
func checkCollision(im *image) []hit {
	gs := newGroups()
	collisions := im.collisions()
	for _, at := range slices.Sorted(maps.Keys(collisions)) {
		gs.add(collisions[at].entry, collisions[at].group())
	}
	return gs.hits(func(g *group) string {
		parts := strings.Split(g.key.name, "\x00")
		owners, winner := parts[0], parts[1]
		if winner != "" {
			winner = "; it is that of " + winner
		}
		if len(g.entries) == 1 {
			return owners + " install it with different content" + winner
		}
		return fmt.Sprintf("%s install %s with different content, such as %s%s", owners, about(len(g.entries), "file"), g.entries[0].at, winner)
	})
}

// group is the key of those that make one finding.
func (c *collision) group() string {
	at := c.at
	if rest, ok := strings.CutPrefix(at, c.claims[0].site+"/"); ok && strings.Contains(rest, "/") {
		top, _, _ := strings.Cut(rest, "/")
		at = path.Join(c.claims[0].site, top)
	}
	return c.owners() + "\x00" + c.winner() + "\x00" + at
}

// owners names the distributions.
func (c *collision) owners() string {
	var names []string
	for _, o := range c.claims[:min(len(c.claims), several)] {
		names = append(names, o.String())
	}
	if more := len(c.claims) - len(names); more > 0 {
		names = append(names, about(more, "other"))
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " and " + names[last]
}

// winner names the distribution whose content the file has; empty for none.
func (c *collision) winner() string {
	for _, o := range c.claims {
		if o.sha256 == c.content().SHA256 {
			return o.String()
		}
	}
	return ""
}

// collisions are the image's by path, found on first use. What is compiled where it
// is installed is no published file. Two of one distribution are the rule duplicate's.
func (im *image) collisions() map[string]*collision {
	r := im.recorded()
	if r.collisions != nil {
		return r.collisions
	}
	r.collisions = map[string]*collision{}
	for at, claims := range r.claims() {
		n := im.lookup(at)
		if n != nil && n.entry != nil && n.entry.content().Kind == Regular && source(at) == "" && differ(claims) {
			r.collisions[at] = &collision{n.entry, claims}
		}
	}
	return r.collisions
}

// overwritten tells a file that is another distribution's: not changed, but a
// collision.
func (im *image) overwritten(at string) bool {
	c := im.collisions()[at]
	return c != nil && c.winner() != ""
}

// claims are those of the paths that several distributions list, by name.
func (r *records) claims() map[string][]claim {
	if r.claimed != nil {
		return r.claimed
	}
	all := map[string][]claim{}
	r.claimed = all
	for _, d := range r.infos {
		if len(r.shared) == 0 || d.record == nil || d.otherManager() {
			continue
		}
		for _, line := range d.record.content().Record {
			at, ok := d.place(line.Path)
			if !ok || !r.shared[at] {
				continue
			}
			of := all[at]
			if len(of) == 0 || of[len(of)-1].distInfo != d {
				all[at] = append(of, claim{d, line.sha256()})
			} else if last := &of[len(of)-1]; last.sha256 == "" {
				last.sha256 = line.sha256() // listed twice
			}
		}
	}
	for _, of := range all {
		slices.SortFunc(of, func(a, b claim) int { return strings.Compare(a.at, b.at) })
	}
	return all
}

// others says who else lists a path, and may have written it.
func (r *records) others(at string, d *distInfo) string {
	for _, c := range r.claims()[at] {
		if c.distInfo != d {
			return "; " + c.String() + " lists it too"
		}
	}
	return ""
}

// sha256 is the line's as facts have it; empty where it has another hash or none.
func (line RecordEntry) sha256() string {
	algorithm, sum, _ := strings.Cut(line.Hash, "=")
	if !strings.EqualFold(algorithm, "sha256") {
		return ""
	}
	return sum
}

// differ tells claims that cannot all be true. One without a hash says nothing.
func differ(claims []claim) bool {
	var first *claim
	for i := range claims {
		switch c := &claims[i]; {
		case c.sha256 == "":
		case first == nil:
			first = c
		case c.sha256 != first.sha256 && c.name() != first.name():
			return true
		}
	}
	return false
}

// name is the distribution's, normalised.
func (d *distInfo) name() string {
	name, _, _ := strings.Cut(d.String(), "-")
	return python.Name(name)
}
