package overlay

import (
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/lucid-project/base-images/internal/names"
	"github.com/lucid-project/base-images/lucidbase/verify/internal/python"
	"github.com/lucid-project/base-images/lucidbase/verify/internal/scan"
)

// SourceOf is the path of the source of a .pyc in __pycache__, "" for other files.
func SourceOf(at string) string {
	dir, base := path.Split(at)
	if path.Ext(base) != ".pyc" || path.Base(dir) != "__pycache__" {
		return ""
	}
	name := strings.TrimSuffix(base, ".pyc")
	if i := strings.LastIndex(name, ".opt-"); i > 0 {
		name = name[:i]
	}
	if i := strings.LastIndex(name, "."); i > 0 { // the interpreter's tag
		name = name[:i]
	}
	return path.Join(path.Dir(path.Clean(dir)), name+".py")
}

// IsDotted reports whether a text is numbers with dots between.
func IsDotted(s string) bool { return s != "" && strings.Trim(s, "0123456789.") == "" }

// IsModule reports whether a module is at a path without a suffix: source, bytecode or
// an extension.
func (im *Image) IsModule(at string) bool {
	dir, base := path.Split(at)
	n := im.Lookup(dir)
	if n == nil {
		return false
	}
	for _, ext := range []string{".py", ".pyc", ".so"} {
		if n.Children[base+ext] != nil {
			return true
		}
	}
	for name := range n.Children {
		if strings.HasPrefix(name, base+".") && path.Ext(name) == ".so" {
			return true
		}
	}
	return false
}

// MinorOf returns "3.11" of "3.11.2" or "3.11.2.final.0".
func MinorOf(version string) string {
	parts := strings.SplitN(version, ".", 3)
	if len(parts) < 2 || !IsDotted(parts[0]) || !IsDotted(parts[1]) {
		return ""
	}
	return parts[0] + "." + parts[1]
}

// PythonsIn returns the names of the interpreters in a directory, whether links or
// not, that can be run.
func (im *Image) PythonsIn(dir string) []string {
	n := im.Lookup(im.Absolute(dir))
	if n == nil {
		return nil
	}
	if found, ok := im.works.pythonsIn[n]; ok {
		return found
	}
	var found []string
	for name := range n.Children {
		if !isPythonName(name) {
			continue
		}
		if e := im.Regular(path.Join(im.Absolute(dir), name)); e != nil && e.Content().Mode&0o111 != 0 {
			found = append(found, name)
		}
	}
	slices.Sort(found)
	found = found[:min(len(found), maxPythons)]
	if im.works.pythonsIn == nil {
		im.works.pythonsIn = map[*Node][]string{}
	}
	im.works.pythonsIn[n] = found
	return found
}

func isPythonName(name string) bool {
	return name == "python" || name == "python2" || name == "python3" || PythonProgram.MatchString(name)
}

// MinorAt returns an interpreter's version by the name that its links end at; ""
// when that does not say.
func (im *Image) MinorAt(p string) string {
	at, _ := im.Follow(im.Absolute(p))
	if m := PythonProgram.FindStringSubmatch(path.Base(at)); m != nil {
		return m[1]
	}
	return ""
}

// Sites are the interpreters of an image and what each can import.
type Sites struct {
	pythons []*Entry
	// Distributions are those of each directory, in the layers' order.
	Distributions map[string][]*InstalledDist
	Environments  []*Environment
	// Left is the first interpreter or virtual environment beyond maxEnvironments.
	Left *Entry
}

// What a hostile image can have of each; real ones stay far below.
const (
	maxEnvironments = 200
	maxSites        = 300 // directories that one interpreter imports from
	maxPythons      = 20  // interpreters in one directory
)

// InstalledDist is a distribution in a directory of sys.path.
type InstalledDist struct {
	*python.Distribution
	*Entry
	// Key is the normalised name, info the *.dist-info or *.egg-info.
	Key, Info string
}

// Environment is an interpreter's sys.path, or a virtual environment's.
type Environment struct {
	// prefix is what holds lib/pythonX.Y, minor "3.11".
	prefix, minor string
	Path          []string
	// Chosen are the directories that the config puts first on purpose.
	Chosen map[string]bool
	// system is set for an interpreter outside of a virtual environment.
	system bool
}

// PythonProgram matches the names of interpreters; its group is the version, "3.11".
var PythonProgram = regexp.MustCompile(`^python([0-9]+\.[0-9]+)t?$`)

// Pythons returns the interpreters: programs called pythonX.Y in a bin directory.
func (im *Image) Pythons() []*Entry { return im.Sites().pythons }

// nativePythons leaves out those that are no program of the image's CPU, such as a
// script that starts another one.
func (im *Image) nativePythons() []*Entry {
	var native []*Entry
	for _, e := range im.Pythons() {
		if x := e.Content().ELF; x != nil && x.Machine == Machines[im.Config.Architecture] {
			native = append(native, e)
		}
	}
	return native
}

// Sites returns the image's sites, made on first use.
func (im *Image) Sites() *Sites {
	if im.works.sites != nil {
		return im.works.sites
	}
	s := &Sites{Distributions: map[string][]*InstalledDist{}}
	im.works.sites = s
	var configs []*Entry
	im.Visible(func(e *Entry) {
		if e.Kind != scan.Regular && e.Kind != scan.Hardlink {
			return
		}
		dir, base := path.Split(e.At)
		c := e.Content()
		switch {
		case c.Distribution != nil:
			s.add(e)
		case base == "pyvenv.cfg":
			configs = append(configs, e)
		case c.Mode&0o111 != 0 && PythonProgram.MatchString(base) && path.Base(dir) == "bin":
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

// full reports whether no more environments are added; the first that is left out is kept.
func (s *Sites) full(next *Entry) bool {
	if len(s.Environments) < maxEnvironments {
		return false
	}
	if s.Left == nil {
		s.Left = next
	}
	return true
}

// First returns a distribution, for a finding about all.
func (s *Sites) First() (d *Entry) {
	for _, installed := range s.Distributions {
		if d == nil || installed[0].At < d.At {
			d = installed[0].Entry
		}
	}
	return d
}

func (s *Sites) add(e *Entry) {
	info := e.At
	if base := path.Base(info); base == "METADATA" || base == "PKG-INFO" {
		info = path.Dir(info)
	}
	d := &InstalledDist{e.Content().Distribution, e, names.Normalize(e.Content().Distribution.Name), info}
	dir := path.Dir(info)
	s.Distributions[dir] = append(s.Distributions[dir], d)
}

// addSystem adds what an interpreter outside of a virtual environment imports from.
// Debian's has dist-packages (Debian Python Policy, 2.5).
func (im *Image) addSystem(s *Sites, program *Entry) {
	prefix := path.Dir(path.Dir(program.At))
	if im.Exists(path.Join(prefix, "pyvenv.cfg")) {
		return
	}
	minor := PythonProgram.FindStringSubmatch(path.Base(program.At))[1]
	env := &Environment{prefix: prefix, minor: minor, system: true, Chosen: map[string]bool{}}
	im.addChosen(s, env)
	lib := "lib/python" + minor
	for _, dir := range []string{lib, "lib64/python" + minor} {
		im.addSite(env, path.Join(prefix, dir, "site-packages"))
	}
	for at := range s.Distributions { // pip install --user
		if strings.HasSuffix(at, "/.local/"+lib+"/site-packages") {
			im.addSite(env, at)
		}
	}
	if prefix == "/usr" {
		for _, dir := range []string{"/usr/local/" + lib, "/usr/lib/python3", "/usr/" + lib} {
			im.addSite(env, dir+"/dist-packages")
		}
	}
	s.Environments = append(s.Environments, env)
}

// addOthers adds the site directories of no interpreter that was found: one called
// python3 alone, or built into a program, imports from them.
func (im *Image) addOthers(s *Sites) {
	covered := map[string]bool{}
	for _, env := range s.Environments {
		for _, dir := range env.Path {
			covered[dir] = true
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(s.Distributions)) {
		lib, site := path.Split(dir)
		m := PythonProgram.FindStringSubmatch(path.Base(lib))
		prefix := path.Dir(path.Dir(path.Clean(lib)))
		if covered[dir] || site != "site-packages" || m == nil || IsCarried(dir) || len(im.PythonsIn(path.Join(prefix, "bin"))) == 0 || s.full(s.Distributions[dir][0].Entry) {
			continue
		}
		env := &Environment{prefix: prefix, minor: m[1], system: true, Chosen: map[string]bool{}}
		im.addChosen(s, env)
		im.addSite(env, dir)
		s.Environments = append(s.Environments, env)
	}
}

func (im *Image) addVenv(s *Sites, cfg *Entry) {
	prefix := path.Dir(cfg.At)
	values := VenvConfig(cfg)
	for _, minor := range im.LibMinors(prefix) {
		env := &Environment{prefix: prefix, minor: minor, Chosen: map[string]bool{}}
		im.addChosen(s, env)
		for _, lib := range []string{"lib", "lib64"} {
			im.addSite(env, path.Join(prefix, lib, "python"+minor, "site-packages"))
		}
		if strings.EqualFold(values["include-system-site-packages"], "true") {
			at, _ := im.Follow(im.Absolute(values["home"]))
			for _, system := range s.Environments {
				if system.system && system.minor == minor && system.prefix == path.Dir(at) {
					for _, dir := range system.Path {
						env.add(dir)
					}
				}
			}
		}
		s.Environments = append(s.Environments, env)
	}
}

// addChosen adds PYTHONPATH, and the working directory when there are
// distributions in it: python -m puts it first.
func (im *Image) addChosen(s *Sites, env *Environment) {
	list, _ := im.Env("PYTHONPATH")
	for _, dir := range append(firstDirs(strings.Split(list, ":")), ".") {
		at, n := im.Follow(im.Absolute(dir))
		if n == nil || dir == "" || dir == "." && len(s.Distributions[at]) == 0 {
			continue
		}
		env.Chosen[at] = true
		env.add(at)
	}
}

// addSite adds a directory and those that its .pth files name (Python's module
// site).
func (im *Image) addSite(env *Environment, dir string) {
	if len(env.Path) >= maxSites {
		return
	}
	at, n := im.Follow(dir)
	if n == nil || slices.Contains(env.Path, at) {
		return
	}
	env.add(at)
	for name, child := range n.Children {
		if path.Ext(name) != ".pth" || child.Entry == nil || child.Entry.Content().Text == "" {
			continue
		}
		for line := range strings.Lines(child.Entry.Content().Text) {
			if len(env.Path) >= maxSites {
				return
			}
			line = strings.TrimSpace(line)
			if line == "" || line[0] == '#' || strings.HasPrefix(line, "import ") || strings.HasPrefix(line, "import\t") {
				continue
			}
			if !path.IsAbs(line) {
				line = path.Join(at, line)
			}
			if more, n := im.Follow(line); n != nil && n.Entry != nil && n.Entry.Kind != scan.Directory {
				continue
			} else if n != nil {
				env.add(more)
			}
		}
	}
}

func (env *Environment) add(dir string) {
	if len(env.Path) < maxSites && !slices.Contains(env.Path, dir) {
		env.Path = append(env.Path, dir)
	}
}

// LibMinors returns the X.Y of each lib/pythonX.Y of a prefix.
func (im *Image) LibMinors(prefix string) []string {
	var minors []string
	if n := im.Lookup(path.Join(prefix, "lib")); n != nil {
		for name := range n.Children {
			if m := PythonProgram.FindStringSubmatch(name); m != nil {
				minors = append(minors, m[1])
			}
		}
	}
	slices.Sort(minors)
	return minors[:min(len(minors), maxPythons)]
}

// VenvConfig reads pyvenv.cfg as Python's modules site and getpath do: lines of
// key and value, keys in lower case.
func VenvConfig(cfg *Entry) map[string]string {
	values := map[string]string{}
	for line := range strings.Lines(cfg.Content().Text) {
		if key, value, ok := strings.Cut(line, "="); ok {
			values[strings.ToLower(strings.TrimSpace(key))] = strings.TrimSpace(value)
		}
	}
	return values
}
