package rules

import (
	"path"

	"github.com/lucid-project/base-images/lucidbase/verify/internal/overlay"
	"github.com/lucid-project/base-images/lucidbase/verify/internal/scan"
)

var scriptRule = Rule{
	Name:    "script",
	Summary: "no script whose interpreter is a shell of the image",
	Why:     "it runs in the shell that is there, and breaks when that is removed",
	Fix:     "remove the script, or write it in Python",
	Check:   checkScript,
}

// checkScript looks at files that can be run. A shebang whose shell is not there
// runs nothing, and Python's console scripts are no business of this rule.
func checkScript(im *overlay.Image) []overlay.Hit {
	var hits []overlay.Hit
	ts := im.Tools(overlay.Shells)
	dirs := im.ProgramDirs()
	for _, e := range im.Entries {
		c := e.Content()
		if c.Shebang == "" || e.Kind == scan.Symlink || (c.Mode&0o111 == 0 && !dirs[path.Dir(e.At)]) {
			continue
		}
		if shell := im.ShellOf(c.Shebang, ts, e.HiddenBy < 0); shell != "" {
			hits = append(hits, e.Hit("a script of "+shell+", which is in the image"))
		}
	}
	return hits
}
