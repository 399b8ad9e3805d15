package rules

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/lucid-project/base-images/lucidbase/verify/internal/overlay"
	"github.com/lucid-project/base-images/lucidbase/verify/internal/scan"
)

var venvRule = Rule{
	Name:    "venv",
	Summary: "a virtual environment's interpreter is in the image, in the version of its modules, and its programs can be started",
	Why:     "Python or a program of it does not start, or does not find its modules",
	Fix:     "make the environment with the image's own interpreter, at the path that it will have",
	Check:   checkVenv,
}

// checkVenv looks at each virtual environment (PEP 405): what pyvenv.cfg says, and
// the links that make it run.
func checkVenv(im *overlay.Image) []overlay.Hit {
	var hits []overlay.Hit
	seen := map[*overlay.Node]bool{}
	im.Visible(func(e *overlay.Entry) {
		if path.Base(e.At) == "pyvenv.cfg" && e.Content().Kind == scan.Regular {
			hits = append(hits, venv(im, e, seen)...)
		}
	})
	return hits
}

func venv(im *overlay.Image, cfg *overlay.Entry, seen map[*overlay.Node]bool) []overlay.Hit {
	prefix := path.Dir(cfg.At)
	values := overlay.VenvConfig(cfg)
	var hits []overlay.Hit
	say := func(format string, args ...any) { hits = append(hits, cfg.Hit(fmt.Sprintf(format, args...))) }
	minors := im.LibMinors(prefix)
	if len(minors) == 0 {
		say("there is no lib/pythonX.Y beside it")
	}
	for _, minor := range minors {
		if dir := path.Join(prefix, "lib", "python"+minor, "site-packages"); !im.Exists(dir) {
			say("%s is not in the image", dir)
		}
	}
	version := values["version"]
	if version == "" {
		version = values["version_info"] // virtualenv's and uv's
	}
	if minor := overlay.MinorOf(version); minor != "" && len(minors) > 0 && !slices.Contains(minors, minor) {
		say("its version is %s, its modules are in lib/python%s", version, strings.Join(minors, ", lib/python"))
	}
	if problem := venvHome(im, values["home"], minors); problem != "" {
		say("%s", problem)
	}
	return slices.Concat(hits, venvPrograms(im, cfg, prefix, minors, seen))
}

// venvHome is the directory of the interpreter that the environment was made with:
// Python finds its standard library from there.
func venvHome(im *overlay.Image, home string, minors []string) string {
	if home == "" {
		return "it has no home"
	}
	var others []string
	for _, name := range im.PythonsIn(home) {
		minor := im.MinorAt(path.Join(home, name))
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

// venvPrograms judges the environment's own interpreter, and its scripts; those of a
// directory that is in seen were judged.
func venvPrograms(im *overlay.Image, cfg *overlay.Entry, prefix string, minors []string, seen map[*overlay.Node]bool) []overlay.Hit {
	bin := path.Join(prefix, "bin")
	var hits []overlay.Hit
	names := im.PythonsIn(bin)
	if len(names) == 0 {
		hits = append(hits, cfg.Hit(bin+" has no Python interpreter that can be run"))
	}
	known := slices.Clone(minors)
	for _, name := range names {
		if minor := im.MinorAt(path.Join(bin, name)); minor != "" && len(minors) > 0 && !slices.Contains(known, minor) {
			known = append(known, minor)
			hits = append(hits, cfg.Hit(fmt.Sprintf("%s/%s is Python %s, its modules are in lib/python%s", bin, name, minor, strings.Join(minors, ", lib/python"))))
		}
	}
	return append(hits, stuck(im, bin, seen, func(interpreter string) bool {
		return len(names) == 0 && path.Dir(interpreter) == bin // said above
	})...)
}
