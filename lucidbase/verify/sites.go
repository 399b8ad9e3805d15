package verify

import (
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/lucid-project/base-images/lucidbase/verify/internal/python"
)

// sites are the interpreters of an image and what each can import.
type sites struct {
	pythons []*entry
	// distributions are those of each directory, in the layers' order.
	distributions map[string][]*installedDist
	environments  []*environment
	// left is the first interpreter or virtual environment beyond maxEnvironments.
	left *entry
}

// What a hostile image can have of each; real ones stay far below.
const (
	maxEnvironments = 200
	maxSites        = 300 // directories that one interpreter imports from
	maxPythons      = 20  // interpreters in one directory
)

// installedDist is a distribution in a directory of sys.path.
type installedDist struct {
	*Distribution
	*entry
	// key is the normalised name, info the *.dist-info or *.egg-info.
	key, info string
}

// environment is an interpreter's sys.path, or a virtual environment's.
type environment struct {
	// prefix is what holds lib/pythonX.Y, minor "3.11".
	prefix, minor string
	path          []string
	// chosen are the directories that the config puts first on purpose.
	chosen map[string]bool
	// system is set for an interpreter outside of a virtual environment.
	system bool
}

var pythonProgram = regexp.MustCompile(`^python([0-9]+\.[0-9]+)t?$`)

// pythons gives the interpreters: programs called pythonX.Y in a bin directory.
func (im *image) pythons() []*entry { return im.python().pythons }

// nativePythons leaves out those that are no program of the image's CPU, such as a
// script that starts another one.
func (im *image) nativePythons() []*entry {
	var native []*entry
	for _, e := range im.pythons() {
		if x := e.content().ELF; x != nil && x.Machine == machines[im.config.Architecture] {
			native = append(native, e)
		}
	}
	return native
}

// python gives the image's sites, made on first use.
func (im *image) python() *sites {
	if im.works.sites != nil {
		return im.works.sites
	}
	s := &sites{distributions: map[string][]*installedDist{}}
	im.works.sites = s
	var configs []*entry
	im.visible(func(e *entry) {
		if e.Kind != Regular && e.Kind != Hardlink {
			return
		}
		dir, base := path.Split(e.at)
		c := e.content()
		switch {
		case c.Distribution != nil:
			s.add(e)
		case base == "pyvenv.cfg":
			configs = append(configs, e)
		case c.Mode&0o111 != 0 && pythonProgram.MatchString(base) && path.Base(dir) == "bin":
			s.pythons = append(s.pythons, e)
		}
	})
	for _, e := range s.pythons {
		if !s.full(e) {
			im.addSystem(s, e)
		}
	}
	for _, cfg := range configs {
		if !s.full(cfg) {
			im.addVenv(s, cfg)
		}
	}
	im.addOthers(s)
	return s
}

// full tells that no more environments are added; the first that is left out is kept.
func (s *sites) full(next *entry) bool {
	if len(s.environments) < maxEnvironments {
		return false
	}
	if s.left == nil {
		s.left = next
	}
	return true
}

// first gives a distribution, for a finding about all.
func (s *sites) first() (d *entry) {
	for _, installed := range s.distributions {
		if d == nil || installed[0].at < d.at {
			d = installed[0].entry
		}
	}
	return d
}

func (s *sites) add(e *entry) {
	info := e.at
	if base := path.Base(info); base == "METADATA" || base == "PKG-INFO" {
		info = path.Dir(info)
	}
	d := &installedDist{e.content().Distribution, e, python.Name(e.content().Distribution.Name), info}
	dir := path.Dir(info)
	s.distributions[dir] = append(s.distributions[dir], d)
}

// addSystem adds what an interpreter outside of a virtual environment imports from.
// Debian's has dist-packages (Debian Python Policy, 2.5).
func (im *image) addSystem(s *sites, program *entry) {
	prefix := path.Dir(path.Dir(program.at))
	if im.exists(path.Join(prefix, "pyvenv.cfg")) {
		return
	}
	minor := pythonProgram.FindStringSubmatch(path.Base(program.at))[1]
	env := &environment{prefix: prefix, minor: minor, system: true, chosen: map[string]bool{}}
	im.addChosen(s, env)
	lib := "lib/python" + minor
	for _, dir := range []string{lib, "lib64/python" + minor} {
		im.addSite(env, path.Join(prefix, dir, "site-packages"))
	}
	for at := range s.distributions { // pip install --user
		if strings.HasSuffix(at, "/.local/"+lib+"/site-packages") {
			im.addSite(env, at)
		}
	}
	if prefix == "/usr" {
		for _, dir := range []string{"/usr/local/" + lib, "/usr/lib/python3", "/usr/" + lib} {
			im.addSite(env, dir+"/dist-packages")
		}
	}
	s.environments = append(s.environments, env)
}

// addOthers adds the site directories of no interpreter that was found: one called
// python3 alone, or built into a program, imports from them.
func (im *image) addOthers(s *sites) {
	covered := map[string]bool{}
	for _, env := range s.environments {
		for _, dir := range env.path {
			covered[dir] = true
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(s.distributions)) {
		lib, site := path.Split(dir)
		m := pythonProgram.FindStringSubmatch(path.Base(lib))
		prefix := path.Dir(path.Dir(path.Clean(lib)))
		if covered[dir] || site != "site-packages" || m == nil || isCarried(dir) || len(im.pythonsIn(path.Join(prefix, "bin"))) == 0 || s.full(s.distributions[dir][0].entry) {
			continue
		}
		env := &environment{prefix: prefix, minor: m[1], system: true, chosen: map[string]bool{}}
		im.addChosen(s, env)
		im.addSite(env, dir)
		s.environments = append(s.environments, env)
	}
}

func (im *image) addVenv(s *sites, cfg *entry) {
	prefix := path.Dir(cfg.at)
	values := venvConfig(cfg)
	for _, minor := range im.libMinors(prefix) {
		env := &environment{prefix: prefix, minor: minor, chosen: map[string]bool{}}
		im.addChosen(s, env)
		for _, lib := range []string{"lib", "lib64"} {
			im.addSite(env, path.Join(prefix, lib, "python"+minor, "site-packages"))
		}
		if strings.EqualFold(values["include-system-site-packages"], "true") {
			at, _ := im.follow(im.absolute(values["home"]))
			for _, system := range s.environments {
				if system.system && system.minor == minor && system.prefix == path.Dir(at) {
					for _, dir := range system.path {
						env.add(dir)
					}
				}
			}
		}
		s.environments = append(s.environments, env)
	}
}

// addChosen adds PYTHONPATH, and the working directory when there are
// distributions in it: python -m puts it first.
func (im *image) addChosen(s *sites, env *environment) {
	list, _ := im.env("PYTHONPATH")
	for _, dir := range append(firstDirs(strings.Split(list, ":")), ".") {
		at, n := im.follow(im.absolute(dir))
		if n == nil || dir == "" || dir == "." && len(s.distributions[at]) == 0 {
			continue
		}
		env.chosen[at] = true
		env.add(at)
	}
}

// addSite adds a directory and those that its .pth files name (Python's module
// site).
func (im *image) addSite(env *environment, dir string) {
	if len(env.path) >= maxSites {
		return
	}
	at, n := im.follow(dir)
	if n == nil || slices.Contains(env.path, at) {
		return
	}
	env.add(at)
	for name, child := range n.children {
		if path.Ext(name) != ".pth" || child.entry == nil || child.entry.content().Text == "" {
			continue
		}
		for line := range strings.Lines(child.entry.content().Text) {
			if len(env.path) >= maxSites {
				return
			}
			line = strings.TrimSpace(line)
			if line == "" || line[0] == '#' || strings.HasPrefix(line, "import ") || strings.HasPrefix(line, "import\t") {
				continue
			}
			if !path.IsAbs(line) {
				line = path.Join(at, line)
			}
			if more, n := im.follow(line); n != nil && n.entry != nil && n.entry.Kind != Directory {
				continue
			} else if n != nil {
				env.add(more)
			}
		}
	}
}

func (env *environment) add(dir string) {
	if len(env.path) < maxSites && !slices.Contains(env.path, dir) {
		env.path = append(env.path, dir)
	}
}

// libMinors gives the X.Y of each lib/pythonX.Y of a prefix.
func (im *image) libMinors(prefix string) []string {
	var minors []string
	if n := im.lookup(path.Join(prefix, "lib")); n != nil {
		for name := range n.children {
			if m := pythonProgram.FindStringSubmatch(name); m != nil {
				minors = append(minors, m[1])
			}
		}
	}
	slices.Sort(minors)
	return minors[:min(len(minors), maxPythons)]
}

// venvConfig reads pyvenv.cfg as Python's modules site and getpath do: lines of
// key and value, keys in lower case.
func venvConfig(cfg *entry) map[string]string {
	values := map[string]string{}
	for line := range strings.Lines(cfg.content().Text) {
		if key, value, ok := strings.Cut(line, "="); ok {
			values[strings.ToLower(strings.TrimSpace(key))] = strings.TrimSpace(value)
		}
	}
	return values
}
