package verify

import (
	"path"
	"strings"
)

// checkLink follows each symbolic link that a container sees, and each hard link
// of the layers: a runtime that unpacks them needs the file.
func checkLink(im *image) []hit {
	var hits []hit
	for _, e := range im.entries {
		switch {
		case e.Kind == Hardlink && e.target == nil:
			hits = append(hits, e.hit("a hard link to "+e.Link+", which is not in the image"))
		case e.Kind == Symlink && e.hiddenBy < 0:
			if found := im.dangling(e); found != "" {
				hits = append(hits, e.hit(found))
			}
		}
	}
	return hits
}

func (im *image) dangling(e *entry) string {
	at, n := im.follow(e.at)
	if n != nil || im.isMounted(at) || isReading(e.at) || isReading(at) {
		return ""
	}
	for p := at; ; p = path.Dir(p) {
		there := im.walk(p)
		switch {
		case there == nil && p != "/":
			continue
		case there != nil && there.entry != nil && there.entry.Kind == Symlink:
			return "a link to " + e.Link + ", which goes round"
		case strings.HasSuffix(at, e.Link):
			return "a link to " + e.Link + ", which is not in the image"
		}
		return "a link to " + e.Link + ", that is " + at + ", which is not in the image"
	}
}

// isReading tells what is there for people or debuggers to read. Slim images leave
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
