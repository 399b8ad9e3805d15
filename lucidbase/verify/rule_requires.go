package verify

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/lucid-project/base-images/lucidbase/verify/internal/python"
)

// checkRequires evaluates each distribution's Requires-Dist, Requires-Python and tags.
// One that several interpreters import (PYTHONPATH) must do with one of them. What
// cannot be read as PEP 508 or 440 has it is left alone: installers differ in it.
func checkRequires(im *image) []hit {
	s := im.python()
	parsed := map[string]*python.Requirement{}
	seen, unmet := map[*installedDist]int{}, map[hit]int{}
	of := map[hit]*installedDist{}
	steps, left := 0, s.left
	for _, env := range s.environments {
		w := &resolved{im: im, parsed: parsed, steps: &steps, dists: map[string]*installedDist{}}
		for _, dir := range env.path {
			steps += len(s.distributions[dir])
			for _, d := range s.distributions[dir] {
				if w.dists[d.key] == nil {
					w.dists[d.key] = d
				}
			}
		}
		w.markers = im.markerEnvironments(env)
		for d, problems := range w.unmet() {
			seen[d]++
			for _, problem := range problems {
				h := d.hit(problem.found).fixedBy(problem.fix)
				unmet[h]++
				of[h] = d
			}
		}
	}
	var hits []hit
	if steps > maxJudged {
		left = s.first()
	}
	if left != nil {
		hits = append(hits, left.hit("more interpreters and distributions than can be followed: not all were judged").fixedBy(fixJudged))
	}
	for h, n := range unmet {
		if n == seen[of[h]] {
			hits = append(hits, h)
		}
	}
	return hits
}

// resolved is what one interpreter imports.
type resolved struct {
	im    *image
	dists map[string]*installedDist
	// markers are the environments that the interpreter can have: one, or two where
	// its last number is not known.
	markers []python.Environment
	parsed  map[string]*python.Requirement
	extras  map[string][]string
	// steps counts the looks at a distribution, of all interpreters together.
	steps *int
}

// maxJudged is a hundred times what an image of several environments needs, and
// takes seconds.
const maxJudged = 500_000

// fixWheel is for a distribution that is made for something else.
const fixWheel = "install the version or wheel of it that is made for the image's own Python, C library and CPU"

// maxPasses is how long a chain of extras that ask for extras is followed; real ones
// have four links.
const maxPasses = 30

// unmet gives what each distribution lacks. Extras count when another
// distribution asks for them; what a person asked for is written nowhere.
func (w *resolved) unmet() map[*installedDist][]obstacle {
	w.extras = map[string][]string{}
	for changed, pass := true, 0; changed && pass < maxPasses; pass++ {
		changed = false
		if *w.steps += len(w.dists); *w.steps > maxJudged {
			return nil
		}
		for _, d := range w.dists {
			for _, r := range w.active(d) {
				for _, extra := range r.Extras {
					if key := python.Name(r.Name); !slices.Contains(w.extras[key], python.Name(extra)) {
						w.extras[key] = append(w.extras[key], python.Name(extra))
						changed = true
					}
				}
			}
		}
	}
	problems := map[*installedDist][]obstacle{}
	for _, d := range w.dists {
		problems[d] = nil
		if found := w.requiresPython(d); found != "" {
			problems[d] = append(problems[d], obstacle{found, fixWheel})
		}
		if found := w.checkTags(d); found != "" {
			problems[d] = append(problems[d], obstacle{found, fixWheel})
		}
		problems[d] = append(problems[d], w.missing(d)...)
	}
	return problems
}

// missing names each distribution once that is not there or in a version that does not
// fit, whatever the number of lines that ask for it.
func (w *resolved) missing(d *installedDist) []obstacle {
	var names []string
	asked := map[string][]string{}
	for _, r := range w.active(d) {
		if there := w.dists[python.Name(r.Name)]; there != nil && r.Specifiers.Contain(there.Version) {
			continue
		}
		if asked[r.Name] == nil {
			names = append(names, r.Name)
		}
		if text := r.Name + r.Specifiers.String(); !slices.Contains(asked[r.Name], text) {
			asked[r.Name] = append(asked[r.Name], text)
		}
	}
	var problems []obstacle
	for _, name := range names {
		found := d.Name + " needs " + strings.Join(asked[name], " and ")
		if there := w.dists[python.Name(name)]; there != nil {
			problems = append(problems, obstacle{found: found + ", but " + there.Version + " is installed"})
		} else {
			problems = append(problems, obstacle{found: found + ", which is not installed"})
		}
	}
	return problems
}

// active gives the requirements whose markers hold.
func (w *resolved) active(d *installedDist) []*python.Requirement {
	var active []*python.Requirement
	for _, line := range d.Requires {
		r, ok := w.parsed[line]
		if !ok {
			if one, err := python.ParseRequirement(line); err == nil {
				r = &one
			}
			w.parsed[line] = r
		}
		if r != nil && (r.Marker == nil || w.holds(r.Marker, d)) {
			active = append(active, r)
		}
	}
	return active
}

// holds tells whether a marker holds for sure, with one of the extras that are
// asked for or none.
func (w *resolved) holds(m *python.Marker, d *installedDist) bool {
	with := func(extra string) bool {
		for _, env := range w.markers {
			env["extra"] = extra
			if ok, err := m.Holds(env); err != nil || !ok {
				return false
			}
		}
		return true
	}
	return with("") || slices.ContainsFunc(w.extras[d.key], with)
}

func (w *resolved) requiresPython(d *installedDist) string {
	set, err := python.ParseSpecifiers(d.Python)
	if err != nil {
		return ""
	}
	version := ""
	for _, env := range w.markers {
		if version = env["python_full_version"]; set.Contain(version) {
			return ""
		}
	}
	return fmt.Sprintf("%s needs Python %s, the image has %s", d.Name, set, minorOf(version))
}

// markerEnvironments are those of PEP 508 for an interpreter.
func (im *image) markerEnvironments(env *environment) []python.Environment {
	machine := cpus[im.config.Architecture]
	if machine == "" {
		machine = im.config.Architecture
	}
	var all []python.Environment
	for _, version := range im.fullVersions(env) {
		all = append(all, python.Environment{
			"python_version": env.minor, "python_full_version": version, "implementation_version": version,
			"implementation_name": "cpython", "platform_python_implementation": "CPython",
			"os_name": "posix", "sys_platform": "linux", "platform_system": "Linux", "platform_machine": machine,
		})
	}
	return all
}

// fullVersions gives an interpreter's X.Y.Z by pyvenv.cfg, the package that brings
// it, or what the official images say of themselves; else the first and the last
// that there can be.
func (im *image) fullVersions(env *environment) []string {
	var versions []string
	take := func(version string) {
		// "3.11.2.final.0", "3.11.2-6+deb12u6", "3.11.9-r0"
		end := strings.IndexFunc(version, func(r rune) bool { return r != '.' && (r < '0' || r > '9') })
		if end >= 0 {
			version = version[:end]
		}
		if version = strings.Trim(version, "."); strings.Count(version, ".") == 2 && minorOf(version) == env.minor {
			versions = append(versions, version)
		}
	}
	if cfg := im.regular(path.Join(env.prefix, "pyvenv.cfg")); cfg != nil {
		values := venvConfig(cfg)
		take(values["version"])
		take(values["version_info"])
	}
	value, _ := im.env("PYTHON_VERSION")
	take(value)
	take(im.packagedPython("python" + env.minor))
	take(im.packagedPython("python" + env.minor + "-minimal"))
	take(im.packagedPython("apk/python3"))
	if len(versions) > 0 {
		return versions[:1]
	}
	return []string{env.minor + ".0", env.minor + ".99"}
}

// packagedPython gives the version of a package that brings an interpreter.
func (im *image) packagedPython(name string) string {
	if im.works.packaged == nil {
		im.works.packaged = map[string]string{}
		im.visible(func(e *entry) {
			for _, p := range e.content().Packages {
				if p.Manager == "apk" {
					p.Name = "apk/" + p.Name
				}
				if strings.Contains(p.Name, "python") {
					im.works.packaged[p.Name] = p.Version
				}
			}
		})
	}
	return im.works.packaged[name]
}
