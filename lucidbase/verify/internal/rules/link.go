package rules

import (
	"path"
	"strings"

	"github.com/lucid-project/base-images/lucidbase/verify/internal/overlay"
	"github.com/lucid-project/base-images/lucidbase/verify/internal/scan"
)

var linkRule = Rule{
	Name:    "link",
	Summary: "every link ends at something, but those to documentation and to what is mounted when it runs",
	Why:     "what opens it gets no such file or directory",
	Fix:     "add the file that it leads to, or leave the link out",
	Check:   checkLink,
}

// checkLink follows each symbolic link that a container sees, and each hard link
// of the layers: a runtime that unpacks them needs the file.
func checkLink(im *overlay.Image) []overlay.Hit {
	var hits []overlay.Hit
	for _, e := range im.Entries {
		switch {
		case e.Kind == scan.Hardlink && e.Target == nil:
			hits = append(hits, e.Hit("a hard link to "+e.Link+", which is not in the image"))
		case e.Kind == scan.Symlink && e.HiddenBy < 0:
			if found := dangling(im, e); found != "" {
				hits = append(hits, e.Hit(found))
			}
		}
	}
	return hits
}

func dangling(im *overlay.Image, e *overlay.Entry) string {
	at, n := im.Follow(e.At)
	if n != nil || im.IsMounted(at) || isReading(e.At) || isReading(at) {
		return ""
	}
	for p := at; ; p = path.Dir(p) {
		there := im.Walk(p)
		switch {
		case there == nil && p != "/":
			continue
		case there != nil && there.Entry != nil && there.Entry.Kind == scan.Symlink:
			return "a link to " + e.Link + ", which goes round"
		case strings.HasSuffix(at, e.Link):
			return "a link to " + e.Link + ", which is not in the image"
		}
		return "a link to " + e.Link + ", that is " + at + ", which is not in the image"
	}
}

// isReading reports whether a file is there for people or debuggers to read. Slim images leave
// it out and keep the links, such as /etc/alternatives/pager.1.gz.
func isReading(at string) bool {
	for _, dir := range []string{"/usr/share/", "/usr/local/share/", "/usr/local/"} {
		for _, kind := range []string{"doc", "man", "info", "locale", "gtk-doc", "help"} {
			if strings.HasPrefix(at, dir+kind+"/") {
				return true
			}
		}
	}
	return strings.Contains(at, "/.build-id/") || strings.HasPrefix(at, "/usr/lib/debug/")
}
