package rules

import (
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/lucid-project/base-images/lucidbase/verify/internal/overlay"
)

var startRule = Rule{
	Name:    "start",
	Summary: "every program in a directory of PATH can be started: an ELF file, or a script whose interpreter is in the image",
	Why:     "whoever calls it gets: no such file or directory, or exec format error",
	Fix:     "install it again where its interpreter is, or leave it out",
	Check:   checkStart,
}

// checkStart looks at the programs in the directories of PATH. Those of a virtual
// environment are the rule venv's.
func checkStart(im *overlay.Image) []overlay.Hit {
	var hits []overlay.Hit
	seen := map[*overlay.Node]bool{}
	for _, dir := range im.SearchPath() {
		if at := im.Followed(dir); !im.Exists(path.Join(path.Dir(at), "pyvenv.cfg")) {
			hits = append(hits, stuck(im, at, seen, func(string) bool { return false })...)
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
// directory that is in seen were judged. known reports whether an interpreter is one whose absence
// was said.
func stuck(im *overlay.Image, dir string, seen map[*overlay.Node]bool, known func(interpreter string) bool) []overlay.Hit {
	n := im.Lookup(dir)
	if n == nil || seen[n] {
		return nil
	}
	seen[n] = true
	anybody := overlay.Identity{Known: true} // root needs one execute bit, whosever
	byCause, judged := map[string][]overlay.Hit{}, map[*overlay.Entry]bool{}
	for name := range n.Children {
		e := im.Regular(path.Join(dir, name)) // a link's file
		if e == nil || judged[e] || noProgram.MatchString(name) {
			continue
		}
		judged[e] = true
		f := e.Content()
		isScript := f.Shebang != ""
		if !isScript && (f.Mode&0o111 == 0 || !programName.MatchString(name)) || isScript && known(strings.Fields(f.Shebang)[0]) {
			continue
		}
		if o := im.Obstacle(anybody, f, 0); o.Found != "" {
			byCause[o.Found] = append(byCause[o.Found], e.Hit(o.Found).FixedBy(o.Fix))
		}
	}
	return overlay.SumUp(slices.Sorted(maps.Keys(byCause)), byCause, func(cause string, files int, example string) string {
		return fmt.Sprintf("%s cannot be started, such as %s: %s", overlay.Number(files, "program"), example, cause)
	})
}
