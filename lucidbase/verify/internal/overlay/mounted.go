package overlay

import (
	"path"
	"strings"
)

// Followed returns where a path leads, links followed; a relative one is in the working
// directory.
func (im *Image) Followed(p string) string {
	at, _ := im.Follow(im.Absolute(p))
	return at
}

// runtimeFiles are those that every runtime mounts into a container.
var runtimeFiles = map[string]bool{"/etc/hosts": true, "/etc/hostname": true, "/etc/resolv.conf": true}

// IsMounted reports whether a path is of those that get their content when a container runs.
func (im *Image) IsMounted(p string) bool {
	if im.volumes == nil {
		im.volumes = map[string]bool{}
		for v := range im.Config.Config.Volumes {
			im.volumes[path.Clean("/"+v)] = true
		}
	}
	if IsWithin(p, im.volumes) || runtimeFiles[p] {
		return true
	}
	for _, dir := range []string{"/run/", "/var/run/", "/proc/", "/sys/", "/dev/", "/tmp/", "/var/tmp/"} {
		if strings.HasPrefix(p+"/", dir) {
			return true
		}
	}
	return false
}

// IsWithin reports whether a path is one of several places, or below one.
func IsWithin(p string, places map[string]bool) bool {
	for len(places) > 0 && !places[p] {
		if p == "/" || p == "." {
			return false
		}
		p = path.Dir(p)
	}
	return len(places) > 0
}
