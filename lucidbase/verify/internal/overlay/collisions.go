package overlay

import (
	"slices"
	"strings"

	"github.com/lucid-project/base-images/internal/names"
	"github.com/lucid-project/base-images/lucidbase/verify/internal/scan"
)

// Collision is a path that several distributions list with different hashes.
type Collision struct {
	*Entry
	Claims []Claim
}

// Claim is a distribution that lists a path, and the SHA-256 that its RECORD has for
// it; empty for none.
type Claim struct {
	*DistInfo
	sha256 string
}

// Owners names the distributions.
func (c *Collision) Owners() string {
	var owners []string
	for _, o := range c.Claims[:min(len(c.Claims), Several)] {
		owners = append(owners, o.String())
	}
	if more := len(c.Claims) - len(owners); more > 0 {
		owners = append(owners, Number(more, "other"))
	}
	last := len(owners) - 1
	return strings.Join(owners[:last], ", ") + " and " + owners[last]
}

// Winner names the distribution whose content the file has; empty for none.
func (c *Collision) Winner() string {
	for _, o := range c.Claims {
		if o.sha256 == c.Content().SHA256 {
			return o.String()
		}
	}
	return ""
}

// Collisions are the image's by path, found on first use. What is compiled where it
// is installed is no published file. Two of one distribution are the rule duplicate's.
func (im *Image) Collisions() map[string]*Collision {
	r := im.Records()
	if r.collisions != nil {
		return r.collisions
	}
	r.collisions = map[string]*Collision{}
	for at, claims := range r.claims() {
		n := im.Lookup(at)
		if n != nil && n.Entry != nil && n.Entry.Content().Kind == scan.Regular && SourceOf(at) == "" && differ(claims) {
			r.collisions[at] = &Collision{n.Entry, claims}
		}
	}
	return r.collisions
}

// Overwritten reports whether a file is another distribution's: not changed, but a
// collision.
func (im *Image) Overwritten(at string) bool {
	c := im.Collisions()[at]
	return c != nil && c.Winner() != ""
}

// claims are those of the paths that several distributions list, by name.
func (r *Records) claims() map[string][]Claim {
	if r.claimed != nil {
		return r.claimed
	}
	all := map[string][]Claim{}
	r.claimed = all
	for _, d := range r.Infos {
		if len(r.shared) == 0 || d.Record == nil || d.OtherManager() {
			continue
		}
		for _, line := range d.Record.Content().Record {
			at, ok := d.Place(line.Path)
			if !ok || !r.shared[at] {
				continue
			}
			of := all[at]
			if len(of) == 0 || of[len(of)-1].DistInfo != d {
				all[at] = append(of, Claim{d, line.SHA256()})
			} else if last := &of[len(of)-1]; last.sha256 == "" {
				last.sha256 = line.SHA256() // listed twice
			}
		}
	}
	for _, of := range all {
		slices.SortFunc(of, func(a, b Claim) int { return strings.Compare(a.At, b.At) })
	}
	return all
}

// Others says who else lists a path, and may have written it.
func (r *Records) Others(at string, d *DistInfo) string {
	for _, c := range r.claims()[at] {
		if c.DistInfo != d {
			return "; " + c.String() + " lists it too"
		}
	}
	return ""
}

// differ reports whether claims cannot all be true. One without a hash says nothing.
func differ(claims []Claim) bool {
	var first *Claim
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
func (d *DistInfo) name() string {
	name, _, _ := strings.Cut(d.String(), "-")
	return names.Normalize(name)
}
