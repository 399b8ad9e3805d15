package verify

import (
	"path"
	"strings"
)

// checkDuplicate finds two copies of one distribution: in one directory, where
// their files are mixed, or in two of one sys.path, where the first hides the
// other. PYTHONPATH is for that: what it names is first on purpose.
func checkDuplicate(im *image) []hit {
	s := im.python()
	var hits []hit
	for dir, installed := range s.distributions {
		if isCarried(dir) || isDebians(dir) { // python3-cryptography has both kinds of metadata
			continue
		}
		first := map[string]*installedDist{}
		for _, d := range installed {
			if f := first[d.key]; f == nil {
				first[d.key] = d
			} else if f.info != d.info {
				hits = append(hits, d.hit(d.what()+" and "+f.what()+" are in one directory: "+path.Base(f.info)))
			}
		}
	}
	for _, env := range s.environments {
		hits = append(hits, s.hidden(env)...)
	}
	return hits
}

func (d *installedDist) what() string { return strings.TrimSpace(d.Name + " " + d.Version) }

// hidden gives the distributions that another directory of the path hides.
func (s *sites) hidden(env *environment) []hit {
	var hits []hit
	first := map[string]*installedDist{}
	for _, dir := range env.path {
		for _, d := range s.distributions[dir] {
			switch f := first[d.key]; {
			case f == nil:
				if !env.chosen[dir] {
					first[d.key] = d
				}
			case path.Dir(f.info) != dir:
				hits = append(hits, d.hit(d.what()+" is hidden by "+f.what()+" in "+path.Dir(f.info)))
			}
		}
	}
	return hits
}
