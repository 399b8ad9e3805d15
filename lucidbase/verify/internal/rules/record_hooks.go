package rules

import (
	"path"
	"strings"

	"github.com/lucid-project/base-images/lucidbase/verify/internal/overlay"
	"github.com/lucid-project/base-images/lucidbase/verify/internal/python"
	"github.com/lucid-project/base-images/lucidbase/verify/internal/scan"
)

// hooks finds what Python's module site runs at every start and no RECORD lists:
// sitecustomize and usercustomize, and a line of a .pth file that imports. Debian's
// sitecustomize.py is a link into /etc; virtualenv and uv write one .pth themselves.
func hooks(im *overlay.Image, r *overlay.Records, unknown map[string]bool) []overlay.Hit {
	var hits []overlay.Hit
	im.Visible(func(e *overlay.Entry) {
		dir, base := path.Split(e.At)
		dir = path.Clean(dir)
		if e.Kind == scan.Symlink || e.Content().Kind != scan.Regular || !python.IsSiteDir(dir) || r.Owner[e.At] != nil {
			return
		}
		switch {
		case base == "sitecustomize.py" || base == "usercustomize.py":
			hits = append(hits, e.Hit("runs whenever Python starts, and no RECORD lists it").FixedBy(fixHook))
		case path.Ext(base) == ".pth" && !unknown[dir] && base != "_virtualenv.pth" && imports(e.Content().Text):
			hits = append(hits, e.Hit("a line of it runs whenever Python starts, and no RECORD lists it").FixedBy(fixHook))
		}
	})
	return hits
}

// imports reports whether a .pth file has a line that is run, not added to sys.path.
func imports(pth string) bool {
	for line := range strings.Lines(pth) {
		if strings.HasPrefix(line, "import ") || strings.HasPrefix(line, "import\t") {
			return true
		}
	}
	return false
}
