package verify

import (
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
)

// checkStart looks at the programs in the directories of PATH. Those of a virtual
// environment are the rule venv's.
func checkStart(im *image) []hit {
	var hits []hit
	seen := map[*node]bool{}
	for _, dir := range im.searchPath() {
		if at := im.followed(dir); !im.exists(path.Join(path.Dir(at), "pyvenv.cfg")) {
			hits = append(hits, im.stuck(at, seen, func(string) bool { return false })...)
		}
	}
	return hits
}

// noProgram matches what stands in a directory of programs and is not meant to be
// started: files that a shell reads, and those for Windows.
var noProgram = regexp.MustCompile(`(?i)^(de)?activate|complet|\.(bat|cmd|ps1|psm1|exe|dll)$`)

// programName matches what is called like a program. Data beside it can have an
// execute bit too, as all files of a build on Windows have.
var programName = regexp.MustCompile(`^[^.]+([-.]?[0-9.]+)?(\.(sh|bash|bin|run))?$`)

// stuck finds the programs of a directory that the kernel does not start; those of a
// directory that is in seen were judged. known tells an interpreter whose absence
// was said.
func (im *image) stuck(dir string, seen map[*node]bool, known func(interpreter string) bool) []hit {
	n := im.lookup(dir)
	if n == nil || seen[n] {
		return nil
	}
	seen[n] = true
	anybody := identity{known: true} // root needs one execute bit, whosever
	byCause, judged := map[string][]hit{}, map[*entry]bool{}
	for name := range n.children {
		e := im.regular(path.Join(dir, name)) // a link's file
		if e == nil || judged[e] || noProgram.MatchString(name) {
			continue
		}
		judged[e] = true
		f := e.content()
		isScript := f.Shebang != ""
		if !isScript && (f.Mode&0o111 == 0 || !programName.MatchString(name)) || isScript && known(strings.Fields(f.Shebang)[0]) {
			continue
		}
		if o := im.obstacle(anybody, f, 0); o.found != "" {
			byCause[o.found] = append(byCause[o.found], e.hit(o.found).fixedBy(o.fix))
		}
	}
	return sumUp(slices.Sorted(maps.Keys(byCause)), byCause, func(cause string, files int, example string) string {
		return fmt.Sprintf("%s cannot be started, such as %s: %s", about(files, "program"), example, cause)
	})
}
