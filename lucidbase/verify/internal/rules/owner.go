package rules

import (
	"fmt"
	"path"
	"strconv"
	"strings"

	"github.com/lucid-project/base-images/lucidbase/verify/internal/overlay"
	"github.com/lucid-project/base-images/lucidbase/verify/internal/scan"
)

var ownerRule = Rule{
	Name:    "owner",
	Summary: "user and group own nothing but the temporary directories, their home, the working directory and the volumes",
	Why:     "what a process may write, an intruder may replace",
	Fix:     "let root own it (COPY without --chown), or declare it a volume",
	Check:   checkOwner,
}

// checkOwner reports the topmost of what belongs to the user or what its group may
// write, and counts what is below.
func checkOwner(im *overlay.Image) []overlay.Hit {
	id := im.User()
	if !id.Known || id.Uid == 0 {
		return nil
	}
	places := ownPlaces(im, id)
	var tops []*overlay.Entry
	below := map[*overlay.Entry]int{}
	var visit func(n *overlay.Node, top *overlay.Entry)
	visit = func(n *overlay.Node, top *overlay.Entry) {
		switch e := n.Entry; {
		case e == nil || !owns(id, e) || overlay.IsWithin(e.At, places):
			top = nil
		case top == nil:
			top = e
			tops = append(tops, e)
		default:
			below[top]++
		}
		for _, child := range n.Children {
			visit(child, top)
		}
	}
	visit(im.Root, nil)
	var hits []overlay.Hit
	for _, e := range tops {
		found := fmt.Sprintf("belongs to user %d, mode %04o", id.Uid, e.Content().Mode)
		if e.UID != id.Uid && e.Content().UID != id.Uid {
			found = fmt.Sprintf("group %d may write it, mode %04o", id.Gid, e.Content().Mode)
		}
		if n := below[e]; n > 0 {
			found += fmt.Sprintf("; so do %d below it", n)
		}
		hits = append(hits, e.Hit(found))
	}
	return hits
}

// owns reports whether a file belongs to the user, or its group may write it. Runtimes
// set a hard link's own owner and mode on the file.
func owns(id overlay.Identity, e *overlay.Entry) bool {
	if e.Kind == scan.Hardlink && (e.UID == id.Uid || id.Gid != 0 && e.GID == id.Gid && e.Mode&0o020 != 0) {
		return true
	}
	c := e.Content()
	return c.UID == id.Uid || id.Gid != 0 && c.GID == id.Gid && c.Mode&0o020 != 0 && e.Kind != scan.Symlink
}

// ownPlaces are the places that are the user's own: the temporary directories, its
// home, the working directory and the declared volumes, unless these are directories
// of the system; of a twin for build stages, where pip installs, too.
func ownPlaces(im *overlay.Image, id overlay.Identity) map[string]bool {
	dirs := []string{"/tmp", "/var/tmp", id.Named.Home, im.Config.Config.WorkingDir, "/run/user/" + strconv.Itoa(id.Uid)}
	if im.Want.Dev {
		dirs = append(dirs, devPackages)
	}
	for v := range im.Config.Config.Volumes {
		dirs = append(dirs, v)
	}
	places := map[string]bool{}
	for _, dir := range dirs {
		if !path.IsAbs(dir) {
			continue
		}
		if place, _ := im.Follow(dir); !isSystemDir(place) {
			places[place] = true
		}
	}
	return places
}

func isSystemDir(at string) bool {
	switch at {
	case "/", "/usr", "/etc", "/bin", "/sbin", "/lib", "/lib64", "/var", "/opt", "/home", "/root", "/dev", "/proc", "/sys", "/run", "/boot":
		return true
	}
	for _, dir := range []string{"/usr/", "/etc/", "/bin/", "/sbin/", "/lib/", "/lib64/"} {
		if strings.HasPrefix(at, dir) && !strings.HasPrefix(at, "/usr/src/") {
			return true
		}
	}
	return false
}
