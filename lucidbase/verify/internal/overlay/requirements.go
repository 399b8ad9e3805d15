package overlay

import (
	"path"
	"slices"
	"strings"

	"github.com/lucid-project/base-images/internal/names"
	"github.com/lucid-project/base-images/lucidbase/verify/internal/python"
)

// NeededBy says which of the installed distributions need one of this name, as
// "; gunicorn and APScheduler need it"; empty if none does.
func (im *Image) NeededBy(name string) string {
	s := im.Sites()
	var needing []string
	for _, env := range s.Environments {
		w := &Resolved{Im: im, Parsed: map[string]*python.Requirement{}, Markers: im.MarkerEnvironments(env)}
		for _, dir := range env.Path {
			for _, d := range s.Distributions[dir] {
				asks := func(r *python.Requirement) bool { return names.Normalize(r.Name) == name }
				if names.Normalize(d.Name) != name && slices.ContainsFunc(w.Active(d), asks) {
					needing = append(needing, d.Name)
				}
			}
		}
	}
	slices.Sort(needing)
	switch needing = slices.Compact(needing); len(needing) {
	case 0:
		return ""
	case 1:
		return "; " + needing[0] + " needs it"
	}
	last := len(needing) - 1
	return "; " + strings.Join(needing[:last], ", ") + " and " + needing[last] + " need it"
}

// Resolved is what one interpreter imports.
type Resolved struct {
	Im    *Image
	Dists map[string]*InstalledDist
	// Markers are the environments that the interpreter can have: one, or two where
	// its last number is not known.
	Markers []python.Environment
	Parsed  map[string]*python.Requirement
	Extras  map[string][]string
	// Steps counts the looks at a distribution, of all interpreters together.
	Steps *int
}

// Active returns the requirements whose markers hold.
func (w *Resolved) Active(d *InstalledDist) []*python.Requirement {
	var active []*python.Requirement
	for _, line := range d.Requires {
		r, ok := w.Parsed[line]
		if !ok {
			if one, err := python.ParseRequirement(line); err == nil {
				r = &one
			}
			w.Parsed[line] = r
		}
		if r != nil && (r.Marker == nil || w.holds(r.Marker, d)) {
			active = append(active, r)
		}
	}
	return active
}

// holds reports whether a marker holds for sure, with one of the extras that are
// asked for or none.
func (w *Resolved) holds(m *python.Marker, d *InstalledDist) bool {
	with := func(extra string) bool {
		for _, env := range w.Markers {
			env["extra"] = extra
			if ok, err := m.Holds(env); err != nil || !ok {
				return false
			}
		}
		return true
	}
	return with("") || slices.ContainsFunc(w.Extras[d.Key], with)
}

// MarkerEnvironments are those of PEP 508 for an interpreter.
func (im *Image) MarkerEnvironments(env *Environment) []python.Environment {
	machine := CPUs[im.Config.Architecture]
	if machine == "" {
		machine = im.Config.Architecture
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

// fullVersions returns an interpreter's X.Y.Z by pyvenv.cfg, the package that brings
// it, or what the official images say of themselves; else the first and the last
// that there can be.
func (im *Image) fullVersions(env *Environment) []string {
	var versions []string
	take := func(version string) {
		// "3.11.2.final.0", "3.11.2-6+deb12u6", "3.11.9-r0"
		end := strings.IndexFunc(version, func(r rune) bool { return r != '.' && (r < '0' || r > '9') })
		if end >= 0 {
			version = version[:end]
		}
		if version = strings.Trim(version, "."); strings.Count(version, ".") == 2 && MinorOf(version) == env.minor {
			versions = append(versions, version)
		}
	}
	if cfg := im.Regular(path.Join(env.prefix, "pyvenv.cfg")); cfg != nil {
		values := VenvConfig(cfg)
		take(values["version"])
		take(values["version_info"])
	}
	value, _ := im.Env("PYTHON_VERSION")
	take(value)
	take(im.packagedPython("python" + env.minor))
	take(im.packagedPython("python" + env.minor + "-minimal"))
	take(im.packagedPython("apk/python3"))
	if len(versions) > 0 {
		return versions[:1]
	}
	return []string{env.minor + ".0", env.minor + ".99"}
}

// packagedPython returns the version of a package that brings an interpreter.
func (im *Image) packagedPython(name string) string {
	if im.works.packaged == nil {
		im.works.packaged = map[string]string{}
		im.Visible(func(e *Entry) {
			for _, p := range e.Content().Packages {
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
