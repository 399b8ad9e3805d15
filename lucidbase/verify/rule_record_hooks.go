package verify

import (
	"path"
	"strings"
)

// hooks finds what Python's module site runs at every start and no RECORD lists:
// sitecustomize and usercustomize, and a line of a .pth file that imports. Debian's
// sitecustomize.py is a link into /etc; virtualenv and uv write one .pth themselves.
func (im *image) hooks(r *records, unknown map[string]bool) []hit {
	var hits []hit
	im.visible(func(e *entry) {
		dir, base := path.Split(e.at)
		dir = path.Clean(dir)
		if e.Kind == Symlink || e.content().Kind != Regular || !isSiteDir(dir) || r.owner[e.at] != nil {
			return
		}
		switch {
		case base == "sitecustomize.py" || base == "usercustomize.py":
			hits = append(hits, e.hit("runs whenever Python starts, and no RECORD lists it").fixedBy(fixHook))
		case path.Ext(base) == ".pth" && !unknown[dir] && base != "_virtualenv.pth" && imports(e.content().Text):
			hits = append(hits, e.hit("a line of it runs whenever Python starts, and no RECORD lists it").fixedBy(fixHook))
		}
	})
	return hits
}

// isSiteDir tells a directory of modules from settings such as /etc/python3.11.
func isSiteDir(dir string) bool {
	base := path.Base(dir)
	return isModuleDir(base) && (!pythonLib.MatchString(base) || strings.HasPrefix(path.Base(path.Dir(dir)), "lib"))
}

// imports tells a .pth file with a line that is run, not added to sys.path.
func imports(pth string) bool {
	for line := range strings.Lines(pth) {
		if strings.HasPrefix(line, "import ") || strings.HasPrefix(line, "import\t") {
			return true
		}
	}
	return false
}
