package rules

import (
	"path"
	"strings"

	"github.com/lucid-project/base-images/lucidbase/verify/internal/overlay"
)

var duplicateRule = Rule{
	Name:    "duplicate",
	Summary: "no distribution is installed twice for one interpreter, unless PYTHONPATH puts one first",
	Why:     "which copy is imported depends on an order that nobody chose, and scanners see the other one",
	Fix:     "remove one of them",
	Check:   checkDuplicate,
}

// checkDuplicate finds two copies of one distribution: in one directory, where
// their files are mixed, or in two of one sys.path, where the first hides the
// other. PYTHONPATH is for that: what it names is first on purpose.
func checkDuplicate(im *overlay.Image) []overlay.Hit {
	s := im.Sites()
	var hits []overlay.Hit
	for dir, installed := range s.Distributions {
		if overlay.IsCarried(dir) || overlay.IsDebians(dir) { // python3-cryptography has both kinds of metadata
			continue
		}
		first := map[string]*overlay.InstalledDist{}
		for _, d := range installed {
			if f := first[d.Key]; f == nil {
				first[d.Key] = d
			} else if f.Info != d.Info {
				hits = append(hits, d.Hit(what(d)+" and "+what(f)+" are in one directory: "+path.Base(f.Info)))
			}
		}
	}
	for _, env := range s.Environments {
		hits = append(hits, hidden(s, env)...)
	}
	return hits
}

func what(d *overlay.InstalledDist) string { return strings.TrimSpace(d.Name + " " + d.Version) }

// hidden returns the distributions that another directory of the path hides.
func hidden(s *overlay.Sites, env *overlay.Environment) []overlay.Hit {
	var hits []overlay.Hit
	first := map[string]*overlay.InstalledDist{}
	for _, dir := range env.Path {
		for _, d := range s.Distributions[dir] {
			switch f := first[d.Key]; {
			case f == nil:
				if !env.Chosen[dir] {
					first[d.Key] = d
				}
			case path.Dir(f.Info) != dir:
				hits = append(hits, d.Hit(what(d)+" is hidden by "+what(f)+" in "+path.Dir(f.Info)))
			}
		}
	}
	return hits
}
