package verify

import (
	"encoding/json"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
)

// checkEditable follows what stands in site-packages for a package that is elsewhere:
// lines of .pth files (Python's module site), the finders of editable installs, egg-links,
// and where pip says that it installed from (PEP 610).
func checkEditable(im *image) []hit {
	c := &chase{im: im}
	var later []*entry
	im.visible(func(e *entry) {
		dir, base := path.Split(e.at)
		switch dir = path.Clean(dir); {
		case e.content().Kind != Regular || e.content().Text == "":
		case path.Ext(base) == ".pth" && isModuleDir(path.Base(dir)):
			c.pth(e, dir)
		case isFinder(base) && isModuleDir(path.Base(dir)):
			c.finder(e)
		case path.Ext(base) == ".egg-link", base == "direct_url.json":
			later = append(later, e)
		}
	})
	for _, e := range later {
		c.origin(e)
	}
	return c.hits
}

// isFinder tells the modules that setuptools, scikit-build-core, hatchling and
// meson-python write for an editable install.
func isFinder(base string) bool {
	return path.Ext(base) == ".py" && strings.Contains(base, "editable_")
}

// chase collects what leads nowhere.
type chase struct {
	im   *image
	hits []hit
	// gone are the places that were said to be missing: the same install can name one
	// in several files.
	gone []string
	// looks counts the names that were compared.
	looks int
	// modules are the names that can be imported, once they were asked for.
	modules map[string]bool
}

const (
	editedPath = "it adds to Python's path "
	notThere   = ", not in the image: what is to be imported from there cannot be"
)

// missing notes the places that are not in the image.
func (c *chase) missing(e *entry, what string, places []string) {
	var gone []string
	for _, p := range places {
		p = path.Clean(p)
		mounted := c.im.isMounted(p) && !strings.HasPrefix(p, "/tmp/") && !strings.HasPrefix(p, "/var/tmp/")
		if mounted || c.there(p) || len(gone) > several || slices.Contains(gone, p) {
			continue
		}
		gone = append(gone, p)
	}
	if len(gone) == 0 {
		return
	}
	text := strings.Join(gone[:min(len(gone), several)], ", ")
	if len(gone) > several {
		text += " and more"
	}
	c.gone = append(c.gone, gone[:min(len(gone), several)]...)
	c.hits = append(c.hits, e.hit(what+text+notThere))
}

// maxLooks is how many names of directories are compared, a thousand times what an
// image with editable installs needs.
const maxLooks = 1_000_000

// there reports whether a path leads to something, or with a module's suffix, which
// finders leave out.
func (c *chase) there(p string) bool {
	if c.im.exists(p) || c.looks > maxLooks {
		return true
	}
	if n := c.im.lookup(path.Dir(p)); n != nil {
		c.looks += len(n.children)
	}
	return c.im.isModule(p)
}

// pth reads a .pth file: a line that imports is run, others are added to sys.path.
func (c *chase) pth(e *entry, dir string) {
	var places []string
	for line := range strings.Lines(e.content().Text) {
		line = strings.TrimRight(line, " \t\r\n")
		switch {
		case strings.TrimSpace(line) == "" || line[0] == '#':
		case strings.HasPrefix(line, "import ") || strings.HasPrefix(line, "import\t"):
			c.imported(e, dir, line)
		case path.IsAbs(line):
			places = append(places, line)
		default:
			places = append(places, path.Join(dir, line))
		}
	}
	c.missing(e, editedPath, places)
}

var importLine = regexp.MustCompile(`^import\s+([A-Za-z_][\w.]*(?:\s*,\s*[A-Za-z_][\w.]*)*)\s*(?:;|$)`)

// imported judges the modules that a line names, when RECORD does not: it has a rule
// of its own.
func (c *chase) imported(e *entry, dir, line string) {
	m := importLine.FindStringSubmatch(line)
	if m == nil {
		return
	}
	for name := range strings.SplitSeq(m[1], ",") {
		top, _, _ := strings.Cut(strings.TrimSpace(name), ".")
		if !c.has(top) && c.im.recorded().owner[path.Join(dir, top)+".py"] == nil {
			c.hits = append(c.hits, e.hit("it imports "+top+" whenever Python starts, which is not in the image"))
			return
		}
	}
}

// mappings are the lines of a finder that name places.
var (
	mappings   = regexp.MustCompile(`(?m)^(?:MAPPING|NAMESPACES|install\(|\s*[\w.]*(?:map_module|add_to_path)\().*$`)
	quotedPath = regexp.MustCompile(`['"](/[^'"\n]+)['"]`)
)

func (c *chase) finder(e *entry) {
	var named []string
	for _, line := range mappings.FindAllString(e.content().Text, 1000) {
		for _, m := range quotedPath.FindAllStringSubmatch(line, 1000) {
			named = append(named, m[1])
		}
	}
	c.missing(e, "it leads the import of a package to ", named)
}

// origin judges where an editable install came from, unless a file that leads there
// was found already.
func (c *chase) origin(e *entry) {
	from := ""
	if path.Ext(e.at) == ".egg-link" {
		from, _, _ = strings.Cut(e.content().Text, "\n")
	} else {
		var direct struct {
			URL  string `json:"url"`
			Info struct {
				Editable bool `json:"editable"`
			} `json:"dir_info"`
		}
		if json.Unmarshal([]byte(e.content().Text), &direct) != nil || !direct.Info.Editable {
			return
		}
		if u, err := url.Parse(direct.URL); err == nil && u.Scheme == "file" {
			from = u.Path
		}
	}
	from = strings.TrimSpace(from)
	if !path.IsAbs(from) || slices.ContainsFunc(c.gone, func(p string) bool { return isWithin(p, map[string]bool{path.Clean(from): true}) }) {
		return
	}
	c.missing(e, "it is installed in place (-e) from ", []string{from})
}

// builtins are modules of CPython that have no file.
var builtins = strings.Fields("sys builtins marshal posix time errno itertools zipimport gc atexit faulthandler signal " +
	"_abc _ast _codecs _collections _functools _imp _io _locale _operator _signal _sre _stat _string _symtable _thread _tracemalloc _warnings _weakref _typing pwd")

// has reports whether any directory of modules has a name. Without a standard library
// nobody can tell, and everything counts as there.
func (c *chase) has(top string) bool {
	if c.modules == nil {
		c.modules = c.im.topModules()
	}
	return c.modules[top] || !c.modules["os"] || slices.Contains(builtins, top)
}

// topModules are the names of all modules and packages that an interpreter of the
// image could import.
func (im *image) topModules() map[string]bool {
	names, seen := map[string]bool{}, map[string]bool{}
	add := func(dir string) {
		if n := im.lookup(dir); n != nil {
			for name := range n.children {
				name, _, _ = strings.Cut(name, ".")
				names[name] = true
			}
		}
	}
	im.visible(func(e *entry) {
		for dir := path.Dir(e.at); dir != "/" && !seen[dir]; dir = path.Dir(dir) {
			seen[dir] = true
			if base := path.Base(dir); isModuleDir(base) || base == "lib-dynload" {
				add(dir)
			}
		}
	})
	for _, env := range im.python().environments {
		for _, dir := range env.path {
			if !seen[dir] {
				seen[dir] = true
				add(dir)
			}
		}
	}
	return names
}
