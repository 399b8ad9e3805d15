package verify

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// checkVenv looks at each virtual environment (PEP 405): what pyvenv.cfg says, and
// the links that make it run.
func checkVenv(im *image) []hit {
	var hits []hit
	seen := map[*node]bool{}
	im.visible(func(e *entry) {
		if path.Base(e.at) == "pyvenv.cfg" && e.content().Kind == Regular {
			hits = append(hits, im.venv(e, seen)...)
		}
	})
	return hits
}

func (im *image) venv(cfg *entry, seen map[*node]bool) []hit {
	prefix := path.Dir(cfg.at)
	values := venvConfig(cfg)
	var hits []hit
	say := func(format string, args ...any) { hits = append(hits, cfg.hit(fmt.Sprintf(format, args...))) }
	minors := im.libMinors(prefix)
	if len(minors) == 0 {
		say("there is no lib/pythonX.Y beside it")
	}
	for _, minor := range minors {
		if dir := path.Join(prefix, "lib", "python"+minor, "site-packages"); !im.exists(dir) {
			say("%s is not in the image", dir)
		}
	}
	version := values["version"]
	if version == "" {
		version = values["version_info"] // virtualenv's and uv's
	}
	if minor := minorOf(version); minor != "" && len(minors) > 0 && !slices.Contains(minors, minor) {
		say("its version is %s, its modules are in lib/python%s", version, strings.Join(minors, ", lib/python"))
	}
	if problem := im.venvHome(values["home"], minors); problem != "" {
		say("%s", problem)
	}
	return slices.Concat(hits, im.venvPrograms(cfg, prefix, minors, seen))
}

// minorOf gives "3.11" of "3.11.2" or "3.11.2.final.0".
func minorOf(version string) string {
	parts := strings.SplitN(version, ".", 3)
	if len(parts) < 2 || !isDotted(parts[0]) || !isDotted(parts[1]) {
		return ""
	}
	return parts[0] + "." + parts[1]
}

// venvHome is the directory of the interpreter that the environment was made with:
// Python finds its standard library from there.
func (im *image) venvHome(home string, minors []string) string {
	if home == "" {
		return "it has no home"
	}
	var others []string
	for _, name := range im.pythonsIn(home) {
		minor := im.minorAt(path.Join(home, name))
		if minor == "" || slices.Contains(minors, minor) || len(minors) == 0 {
			return ""
		}
		others = append(others, minor)
	}
	if len(others) == 0 {
		return "its home " + home + " has no Python interpreter"
	}
	return fmt.Sprintf("its home %s has Python %s, its modules are in lib/python%s", home, others[0], strings.Join(minors, ", lib/python"))
}

// pythonsIn gives the names of the interpreters in a directory, whether links or
// not, that can be run.
func (im *image) pythonsIn(dir string) []string {
	n := im.lookup(im.absolute(dir))
	if n == nil {
		return nil
	}
	if names, ok := im.works.pythonsIn[n]; ok {
		return names
	}
	var names []string
	for name := range n.children {
		if !isPythonName(name) {
			continue
		}
		if e := im.regular(path.Join(im.absolute(dir), name)); e != nil && e.content().Mode&0o111 != 0 {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	names = names[:min(len(names), maxPythons)]
	if im.works.pythonsIn == nil {
		im.works.pythonsIn = map[*node][]string{}
	}
	im.works.pythonsIn[n] = names
	return names
}

func isPythonName(name string) bool {
	return name == "python" || name == "python2" || name == "python3" || pythonProgram.MatchString(name)
}

// minorAt tells an interpreter's version by the name that its links end at; ""
// when that does not say.
func (im *image) minorAt(p string) string {
	at, _ := im.follow(im.absolute(p))
	if m := pythonProgram.FindStringSubmatch(path.Base(at)); m != nil {
		return m[1]
	}
	return ""
}

// venvPrograms judges the environment's own interpreter, and its scripts; those of a
// directory that is in seen were judged.
func (im *image) venvPrograms(cfg *entry, prefix string, minors []string, seen map[*node]bool) []hit {
	bin := path.Join(prefix, "bin")
	var hits []hit
	names := im.pythonsIn(bin)
	if len(names) == 0 {
		hits = append(hits, cfg.hit(bin+" has no Python interpreter that can be run"))
	}
	known := slices.Clone(minors)
	for _, name := range names {
		if minor := im.minorAt(path.Join(bin, name)); minor != "" && len(minors) > 0 && !slices.Contains(known, minor) {
			known = append(known, minor)
			hits = append(hits, cfg.hit(fmt.Sprintf("%s/%s is Python %s, its modules are in lib/python%s", bin, name, minor, strings.Join(minors, ", lib/python"))))
		}
	}
	return append(hits, im.stuck(bin, seen, func(interpreter string) bool {
		return len(names) == 0 && path.Dir(interpreter) == bin // said above
	})...)
}
