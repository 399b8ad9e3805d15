package rules

import (
	"fmt"
	"path"
	"regexp"
	"strings"

	"github.com/lucid-project/base-images/lucidbase/verify/internal/overlay"
	"github.com/lucid-project/base-images/lucidbase/verify/internal/scan"
)

var cacheRule = Rule{
	Name:    "cache",
	Summary: "no cache of a package manager, and no bytecode in __pycache__ whose source is gone",
	Why:     "it is dead weight that a scanner reports and nothing reads",
	Fix:     "use a cache mount, or remove it in the step that fills it",
	Check:   checkCache,
}

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

func checkCache(im *overlay.Image) []overlay.Hit {
	caches, bytecode := overlay.NewGroups(), overlay.NewGroups()
	for _, e := range im.Entries {
		if e.Kind != scan.Regular && e.Kind != scan.Hardlink {
			continue
		}
		if owner, dir := cacheOwner(e); owner != "" {
			caches.Add(e, owner+"\x00"+dir)
		} else if e.HiddenBy < 0 && isOrphan(im, e.At) {
			bytecode.Add(e, path.Dir(e.At))
		}
	}
	hits := caches.Hits(func(g *overlay.Group) string {
		owner, _, _ := strings.Cut(g.Key.Name, "\x00")
		return fmt.Sprintf("a cache of %s: files %d, bytes %d", owner, len(g.Entries), g.Size())
	})
	return append(hits, bytecode.Hits(func(g *overlay.Group) string {
		if len(g.Entries) == 1 {
			return "bytecode of " + overlay.SourceOf(g.Entries[0].At) + ", which is not in the image"
		}
		return fmt.Sprintf("bytecode whose sources are not in the image, such as %s: files %d", g.Names()[0], len(g.Entries))
	})...)
}

// cacheOwner says whose cache a file is in, and which; the empty lock files that
// managers leave in theirs hold nothing.
func cacheOwner(e *overlay.Entry) (owner, dir string) {
	if e.Content().Size == 0 {
		return "", ""
	}
	for _, c := range cacheDirs {
		if hasAny(e.At, c.parts) {
			if m := c.at.FindStringIndex(e.At); m != nil {
				return c.owner, e.At[:m[1]]
			}
		}
	}
	return "", ""
}

// isOrphan reports whether bytecode in __pycache__ has no source: Python never loads it
// (PEP 3147). A .pyc outside of __pycache__ needs no source.
func isOrphan(im *overlay.Image, at string) bool {
	s := overlay.SourceOf(at)
	return s != "" && im.Walk(s) == nil
}
