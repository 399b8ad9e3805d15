package verify

import (
	"fmt"
	"path"
	"regexp"
	"strings"
)

// cacheDirs are the places of package managers' caches, by owner; the match is the
// cache's own directory. State is no cache: debconf's database, the loader's
// ld.so.cache, and models or data that a service keeps in ~/.cache.
var cacheDirs = []struct {
	owner string
	// parts are texts of which a path has one if it matches: most have none.
	parts []string
	at    *regexp.Regexp
}{
	{"apt", []string{"/apt/"}, regexp.MustCompile(`^/var/(cache/apt|lib/apt/lists)/`)},
	{"apk", []string{"/apk/"}, regexp.MustCompile(`^/(var/cache/apk|etc/apk/cache)/`)},
	{"dnf", []string{"/var/cache/"}, regexp.MustCompile(`^/var/cache/(dnf|yum|libdnf5|zypp)/`)},
	{"pacman", []string{"/pacman/"}, regexp.MustCompile(`^/var/cache/pacman/`)},
	{"pip", []string{"/.cache/", "pip-", "/pip/"}, regexp.MustCompile(`/\.cache/pip/|/pip-cache/|^/tmp/pip-|/pip/(http|http-v2|selfcheck|wheels)/`)},
	{"uv", []string{"/.cache/", "uv", "s-v", "/simple-v"}, regexp.MustCompile(`/\.cache/uv/|/[^/]*uv[^/]*/archive-v[0-9]+/|/(wheels|sdists|simple|built-wheels)-v[0-9]+/(pypi|index|url|path|git)/`)},
	{"poetry", []string{"/.cache/"}, regexp.MustCompile(`/\.cache/pypoetry/`)},
	{"pdm", []string{"/.cache/"}, regexp.MustCompile(`/\.cache/(pdm|hatch|pipenv|virtualenv)/`)},
	{"conda", []string{"/pkgs/"}, regexp.MustCompile(`/(conda|miniconda3?|miniforge3?|mambaforge)/pkgs/`)},
	{"npm", []string{"/.npm/", "/.cache/"}, regexp.MustCompile(`/\.npm/_cacache/|/\.cache/(yarn|node-gyp|pnpm)/`)},
	{"go", []string{"/.cache/", "/go/pkg/"}, regexp.MustCompile(`/\.cache/go-build/|^/go/pkg/mod/`)},
	{"cargo", []string{"/.cargo/"}, regexp.MustCompile(`/\.cargo/registry/`)},
}

func checkCache(im *image) []hit {
	caches, bytecode := newGroups(), newGroups()
	for _, e := range im.entries {
		if e.Kind != Regular && e.Kind != Hardlink {
			continue
		}
		if owner, dir := cacheOwner(e); owner != "" {
			caches.add(e, owner+"\x00"+dir)
		} else if e.hiddenBy < 0 && im.isOrphan(e.at) {
			bytecode.add(e, path.Dir(e.at))
		}
	}
	hits := caches.hits(func(g *group) string {
		owner, _, _ := strings.Cut(g.key.name, "\x00")
		return fmt.Sprintf("a cache of %s: files %d, bytes %d", owner, len(g.entries), g.size())
	})
	return append(hits, bytecode.hits(func(g *group) string {
		if len(g.entries) == 1 {
			return "bytecode of " + source(g.entries[0].at) + ", which is not in the image"
		}
		return fmt.Sprintf("bytecode whose sources are not in the image, such as %s: files %d", g.names()[0], len(g.entries))
	})...)
}

// cacheOwner says whose cache a file is in, and which; the empty lock files that
// managers leave in theirs hold nothing.
func cacheOwner(e *entry) (owner, dir string) {
	if e.content().Size == 0 {
		return "", ""
	}
	for _, c := range cacheDirs {
		if hasAny(e.at, c.parts) {
			if m := c.at.FindStringIndex(e.at); m != nil {
				return c.owner, e.at[:m[1]]
			}
		}
	}
	return "", ""
}

// isOrphan tells bytecode in __pycache__ without its source: Python never loads it
// (PEP 3147). A .pyc outside of __pycache__ needs no source.
func (im *image) isOrphan(at string) bool {
	s := source(at)
	return s != "" && im.walk(s) == nil
}

// source is the path of the source of a .pyc in __pycache__, "" for other files.
func source(at string) string {
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

func hasAny(s string, parts []string) bool {
	for _, p := range parts {
		if strings.Contains(s, p) {
			return true
		}
	}
	return false
}
