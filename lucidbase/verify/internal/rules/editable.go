package rules

import (
	"encoding/json"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/lucid-project/base-images/lucidbase/verify/internal/overlay"
	"github.com/lucid-project/base-images/lucidbase/verify/internal/python"
	"github.com/lucid-project/base-images/lucidbase/verify/internal/scan"
)

var editableRule = Rule{
	Name:    "editable",
	Summary: "every .pth file, egg-link and editable install leads to something that is in the image",
	Why:     "Python passes over it without a word, and the package cannot be imported",
	Fix:     "install the package itself, without -e, or copy its source to the path that is named",
	Check:   checkEditable,
}

// checkEditable follows what stands in site-packages for a package that is elsewhere:
// lines of .pth files (Python's module site), the finders of editable installs, egg-links,
// and where pip says that it installed from (PEP 610).
func checkEditable(im *overlay.Image) []overlay.Hit {
	c := &chase{im: im}
	var later []*overlay.Entry
	im.Visible(func(e *overlay.Entry) {
		dir, base := path.Split(e.At)
		switch dir = path.Clean(dir); {
		case e.Content().Kind != scan.Regular || e.Content().Text == "":
		case path.Ext(base) == ".pth" && python.IsModuleDir(path.Base(dir)):
			c.pth(e, dir)
		case python.IsFinder(base) && python.IsModuleDir(path.Base(dir)):
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

// chase collects what leads nowhere.
type chase struct {
	im   *overlay.Image
	hits []overlay.Hit
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
func (c *chase) missing(e *overlay.Entry, what string, places []string) {
	var gone []string
	for _, p := range places {
		p = path.Clean(p)
		mounted := c.im.IsMounted(p) && !strings.HasPrefix(p, "/tmp/") && !strings.HasPrefix(p, "/var/tmp/")
		if mounted || c.there(p) || len(gone) > overlay.Several || slices.Contains(gone, p) {
			continue
		}
		gone = append(gone, p)
	}
	if len(gone) == 0 {
		return
	}
	text := strings.Join(gone[:min(len(gone), overlay.Several)], ", ")
	if len(gone) > overlay.Several {
		text += " and more"
	}
	c.gone = append(c.gone, gone[:min(len(gone), overlay.Several)]...)
	c.hits = append(c.hits, e.Hit(what+text+notThere))
}

// maxLooks is how many names of directories are compared, a thousand times what an
// image with editable installs needs.
const maxLooks = 1_000_000

// there reports whether a path leads to something, or with a module's suffix, which
// finders leave out.
func (c *chase) there(p string) bool {
	if c.im.Exists(p) || c.looks > maxLooks {
		return true
	}
	if n := c.im.Lookup(path.Dir(p)); n != nil {
		c.looks += len(n.Children)
	}
	return c.im.IsModule(p)
}

// pth reads a .pth file: a line that imports is run, others are added to sys.path.
func (c *chase) pth(e *overlay.Entry, dir string) {
	var places []string
	for line := range strings.Lines(e.Content().Text) {
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
func (c *chase) imported(e *overlay.Entry, dir, line string) {
	m := importLine.FindStringSubmatch(line)
	if m == nil {
		return
	}
	for name := range strings.SplitSeq(m[1], ",") {
		top, _, _ := strings.Cut(strings.TrimSpace(name), ".")
		if !c.has(top) && c.im.Records().Owner[path.Join(dir, top)+".py"] == nil {
			c.hits = append(c.hits, e.Hit("it imports "+top+" whenever Python starts, which is not in the image"))
			return
		}
	}
}

// mappings are the lines of a finder that name places.
var (
	mappings   = regexp.MustCompile(`(?m)^(?:MAPPING|NAMESPACES|install\(|\s*[\w.]*(?:map_module|add_to_path)\().*$`)
	quotedPath = regexp.MustCompile(`['"](/[^'"\n]+)['"]`)
)

func (c *chase) finder(e *overlay.Entry) {
	var named []string
	for _, line := range mappings.FindAllString(e.Content().Text, 1000) {
		for _, m := range quotedPath.FindAllStringSubmatch(line, 1000) {
			named = append(named, m[1])
		}
	}
	c.missing(e, "it leads the import of a package to ", named)
}

// origin judges where an editable install came from, unless a file that leads there
// was found already.
func (c *chase) origin(e *overlay.Entry) {
	from := ""
	if path.Ext(e.At) == ".egg-link" {
		from, _, _ = strings.Cut(e.Content().Text, "\n")
	} else {
		var direct struct {
			URL  string `json:"url"`
			Info struct {
				Editable bool `json:"editable"`
			} `json:"dir_info"`
		}
		if json.Unmarshal([]byte(e.Content().Text), &direct) != nil || !direct.Info.Editable {
			return
		}
		if u, err := url.Parse(direct.URL); err == nil && u.Scheme == "file" {
			from = u.Path
		}
	}
	from = strings.TrimSpace(from)
	if !path.IsAbs(from) || slices.ContainsFunc(c.gone, func(p string) bool { return overlay.IsWithin(p, map[string]bool{path.Clean(from): true}) }) {
		return
	}
	c.missing(e, "it is installed in place (-e) from ", []string{from})
}

// builtins are modules of CPython that have no file.
var builtins = strings.Fields("sys builtins marshal posix time errno itertools zipimport gc atexit faulthandler signal " +
	"_abc _ast _codecs _collections _functools _imp _io _locale _operator _signal _sre _stat _string _symtable _thread _tracemalloc _warnings _weakref _typing pwd")

// has reports whether any directory of modules has a name. Without a standard library
// nothing is known, and everything counts as there.
func (c *chase) has(top string) bool {
	if c.modules == nil {
		c.modules = topModules(c.im)
	}
	return c.modules[top] || !c.modules["os"] || slices.Contains(builtins, top)
}

// topModules are the names of all modules and packages that an interpreter of the
// image could import.
func topModules(im *overlay.Image) map[string]bool {
	names, seen := map[string]bool{}, map[string]bool{}
	add := func(dir string) {
		if n := im.Lookup(dir); n != nil {
			for name := range n.Children {
				name, _, _ = strings.Cut(name, ".")
				names[name] = true
			}
		}
	}
	im.Visible(func(e *overlay.Entry) {
		for dir := path.Dir(e.At); dir != "/" && !seen[dir]; dir = path.Dir(dir) {
			seen[dir] = true
			if base := path.Base(dir); python.IsModuleDir(base) || base == "lib-dynload" {
				add(dir)
			}
		}
	})
	for _, env := range im.Sites().Environments {
		for _, dir := range env.Path {
			if !seen[dir] {
				seen[dir] = true
				add(dir)
			}
		}
	}
	return names
}
