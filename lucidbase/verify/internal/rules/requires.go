package rules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lucid-project/base-images/internal/names"
	"github.com/lucid-project/base-images/lucidbase/verify/internal/overlay"
	"github.com/lucid-project/base-images/lucidbase/verify/internal/python"
)

var requiresRule = Rule{
	Name:    "requires",
	Summary: "each distribution's requirements are installed in a version that fits, and its wheel is one for the interpreter and the platform",
	Why:     "an import or a feature fails when it is used",
	Fix:     "lock and install all requirements together",
	Check:   checkRequires,
}

// checkRequires evaluates each distribution's Requires-Dist, Requires-Python and tags.
// One that several interpreters import (PYTHONPATH) must do with one of them. What
// cannot be read as PEP 508 or 440 has it is left alone: installers differ in it.
func checkRequires(im *overlay.Image) []overlay.Hit {
	s := im.Sites()
	parsed := map[string]*python.Requirement{}
	seen, unmet := map[*overlay.InstalledDist]int{}, map[overlay.Hit]int{}
	of := map[overlay.Hit]*overlay.InstalledDist{}
	steps, left := 0, s.Left
	for _, env := range s.Environments {
		w := &overlay.Resolved{Im: im, Parsed: parsed, Steps: &steps, Dists: map[string]*overlay.InstalledDist{}}
		for _, dir := range env.Path {
			steps += len(s.Distributions[dir])
			for _, d := range s.Distributions[dir] {
				if w.Dists[d.Key] == nil {
					w.Dists[d.Key] = d
				}
			}
		}
		w.Markers = im.MarkerEnvironments(env)
		for d, problems := range unmetIn(w) {
			seen[d]++
			for _, problem := range problems {
				h := d.Hit(problem.Found).FixedBy(problem.Fix)
				unmet[h]++
				of[h] = d
			}
		}
	}
	var hits []overlay.Hit
	if steps > maxJudged {
		left = s.First()
	}
	if left != nil {
		hits = append(hits, left.Hit("more interpreters and distributions than can be followed: not all were judged").FixedBy(overlay.FixJudged))
	}
	for h, n := range unmet {
		if n == seen[of[h]] {
			hits = append(hits, h)
		}
	}
	return hits
}

// maxJudged is a hundred times what an image of several environments needs, and
// takes seconds.
const maxJudged = 500_000

// fixWheel is for a distribution that is made for something else.
const fixWheel = "install the version or wheel of it that is made for the image's own Python, C library and CPU"

// maxPasses is how long a chain of extras that ask for extras is followed; real ones
// have four links.
const maxPasses = 30

// unmetIn returns what each distribution lacks. Extras count when another
// distribution asks for them; what a person asked for is written nowhere.
func unmetIn(w *overlay.Resolved) map[*overlay.InstalledDist][]overlay.Obstacle {
	w.Extras = map[string][]string{}
	for changed, pass := true, 0; changed && pass < maxPasses; pass++ {
		changed = false
		if *w.Steps += len(w.Dists); *w.Steps > maxJudged {
			return nil
		}
		for _, d := range w.Dists {
			for _, r := range w.Active(d) {
				for _, extra := range r.Extras {
					if key := names.Normalize(r.Name); !slices.Contains(w.Extras[key], names.Normalize(extra)) {
						w.Extras[key] = append(w.Extras[key], names.Normalize(extra))
						changed = true
					}
				}
			}
		}
	}
	problems := map[*overlay.InstalledDist][]overlay.Obstacle{}
	for _, d := range w.Dists {
		problems[d] = nil
		if found := requiresPython(w, d); found != "" {
			problems[d] = append(problems[d], overlay.Obstacle{Found: found, Fix: fixWheel})
		}
		if found := checkTags(w, d); found != "" {
			problems[d] = append(problems[d], overlay.Obstacle{Found: found, Fix: fixWheel})
		}
		problems[d] = append(problems[d], missing(w, d)...)
	}
	return problems
}

// missing names each distribution once that is not there or in a version that does not
// fit, whatever the number of lines that ask for it.
func missing(w *overlay.Resolved, d *overlay.InstalledDist) []overlay.Obstacle {
	var lacking []string
	asked := map[string][]string{}
	for _, r := range w.Active(d) {
		if there := w.Dists[names.Normalize(r.Name)]; there != nil && r.Specifiers.Contain(there.Version) {
			continue
		}
		if asked[r.Name] == nil {
			lacking = append(lacking, r.Name)
		}
		if text := r.Name + r.Specifiers.String(); !slices.Contains(asked[r.Name], text) {
			asked[r.Name] = append(asked[r.Name], text)
		}
	}
	var problems []overlay.Obstacle
	for _, name := range lacking {
		found := d.Name + " needs " + strings.Join(asked[name], " and ")
		if there := w.Dists[names.Normalize(name)]; there != nil {
			problems = append(problems, overlay.Obstacle{Found: found + ", but " + there.Version + " is installed"})
		} else {
			problems = append(problems, overlay.Obstacle{Found: found + ", which is not installed"})
		}
	}
	return problems
}

func requiresPython(w *overlay.Resolved, d *overlay.InstalledDist) string {
	set, err := python.ParseSpecifiers(d.Python)
	if err != nil {
		return ""
	}
	version := ""
	for _, env := range w.Markers {
		if version = env["python_full_version"]; set.Contain(version) {
			return ""
		}
	}
	return fmt.Sprintf("%s needs Python %s, the image has %s", d.Name, set, overlay.MinorOf(version))
}
