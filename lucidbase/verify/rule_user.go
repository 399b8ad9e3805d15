package verify

import (
	"fmt"
	"path"
	"strconv"
	"strings"
)

// maxID is the largest user or group id that Docker takes.
const maxID = 1<<31 - 1

// identity is who the image's processes are.
type identity struct {
	uid, gid int
	// known is false when the config's user is a name that /etc/passwd lacks.
	known bool
	// named is the user's line in /etc/passwd, if there is one.
	named passwd
	// wrong says what is wrong with the config's user.
	wrong []string
}

type passwd struct {
	name, home string
	uid, gid   int
}

// passwds reads the lines of /etc/passwd that can be read.
func (im *image) passwds() []passwd {
	var all []passwd
	for _, f := range im.table("/etc/passwd", 7) {
		uid, err1 := strconv.Atoi(f[2])
		gid, err2 := strconv.Atoi(f[3])
		if err1 == nil && err2 == nil {
			all = append(all, passwd{f[0], f[5], uid, gid})
		}
	}
	return all
}

// table gives the lines of a file of colon-separated fields that have enough.
func (im *image) table(file string, fields int) [][]string {
	e := im.stat(file)
	if e == nil {
		return nil
	}
	var lines [][]string
	for line := range strings.Lines(e.content().Text) {
		if f := strings.Split(strings.TrimRight(line, "\r\n"), ":"); len(f) >= fields {
			lines = append(lines, f)
		}
	}
	return lines
}

// whoami reads the config's user as a container runtime does: "user", "uid", each
// with ":group" or ":gid"; no group means the one of /etc/passwd, or root's.
func (im *image) whoami() identity {
	id := identity{known: true}
	user, group, hasGroup := strings.Cut(im.config.Config.User, ":")
	if user == "" {
		id.wrong = append(id.wrong, "no user: everything runs as root")
		return id
	}
	uid, err := parseID(user)
	numeric := err == nil
	id.uid, id.known = uid, numeric
	for _, p := range im.passwds() {
		if numeric && p.uid == uid || !numeric && p.name == user {
			id.named, id.known, id.uid, id.gid = p, true, p.uid, p.gid
			break
		}
	}
	switch {
	case numeric && uid == 0:
		id.wrong = append(id.wrong, "user 0 is root")
	case !numeric && id.known:
		id.wrong = append(id.wrong, fmt.Sprintf("user %q is a name (of %d), not a number", user, id.uid))
	case !numeric:
		id.wrong = append(id.wrong, fmt.Sprintf("user %q is a name that /etc/passwd does not have", user))
	}
	im.group(&id, group, hasGroup)
	return id
}

func (im *image) group(id *identity, group string, hasGroup bool) {
	if !hasGroup || group == "" {
		if id.gid == 0 && id.uid != 0 {
			id.wrong = append(id.wrong, "no group: it is root's, 0")
		}
		return
	}
	gid, err := parseID(group)
	if err != nil {
		id.wrong = append(id.wrong, fmt.Sprintf("group %q is a name, not a number", group))
		for _, f := range im.table("/etc/group", 3) {
			if n, err := strconv.Atoi(f[2]); err == nil && f[0] == group {
				gid = n
			}
		}
	} else if gid == 0 {
		id.wrong = append(id.wrong, "group 0 is root's")
	}
	id.gid = gid
}

func parseID(s string) (int, error) {
	for _, c := range s {
		if c < '0' || c > '9' {
			return 0, strconv.ErrSyntax
		}
	}
	n, err := strconv.Atoi(s)
	if err == nil && n > maxID {
		return 0, strconv.ErrRange
	}
	return n, err
}

func checkUser(im *image) []hit {
	id := im.whoami()
	var hits []hit
	for _, w := range id.wrong {
		hits = append(hits, hit{path: "config:User", layer: -1, found: w})
	}
	if id.uid == 0 || id.named.name == "" {
		return hits
	}
	for _, f := range im.table("/etc/group", 4) {
		if gid, err := strconv.Atoi(f[2]); err != nil || gid != 0 {
			continue
		}
		for member := range strings.SplitSeq(f[3], ",") {
			if member == id.named.name {
				hits = append(hits, im.stat("/etc/group").hit(fmt.Sprintf("user %s (%d) is a member of root's group", member, id.uid)).fixedBy("take the user out of that group in /etc/group"))
			}
		}
	}
	return hits
}

// checkOwner reports the topmost of what belongs to the user or what its group may
// write, and counts what is below.
func checkOwner(im *image) []hit {
	id := im.whoami()
	if !id.known || id.uid == 0 {
		return nil
	}
	places := im.ownPlaces(id)
	var tops []*entry
	below := map[*entry]int{}
	var visit func(n *node, top *entry)
	visit = func(n *node, top *entry) {
		switch e := n.entry; {
		case e == nil || !id.owns(e) || isWithin(e.at, places):
			top = nil
		case top == nil:
			top = e
			tops = append(tops, e)
		default:
			below[top]++
		}
		for _, child := range n.children {
			visit(child, top)
		}
	}
	visit(im.root, nil)
	var hits []hit
	for _, e := range tops {
		found := fmt.Sprintf("belongs to user %d, mode %04o", id.uid, e.content().Mode)
		if e.UID != id.uid && e.content().UID != id.uid {
			found = fmt.Sprintf("group %d may write it, mode %04o", id.gid, e.content().Mode)
		}
		if n := below[e]; n > 0 {
			found += fmt.Sprintf("; so do %d below it", n)
		}
		hits = append(hits, e.hit(found))
	}
	return hits
}

// owns tells what belongs to the user, and what its group may write. Runtimes give
// a hard link's own owner and mode to the file.
func (id identity) owns(e *entry) bool {
	if e.Kind == Hardlink && (e.UID == id.uid || id.gid != 0 && e.GID == id.gid && e.Mode&0o020 != 0) {
		return true
	}
	c := e.content()
	return c.UID == id.uid || id.gid != 0 && c.GID == id.gid && c.Mode&0o020 != 0 && e.Kind != Symlink
}

// ownPlaces are the places that are the user's own: the temporary directories, its
// home, the working directory and the declared volumes, unless these are directories
// of the system.
func (im *image) ownPlaces(id identity) map[string]bool {
	dirs := []string{"/tmp", "/var/tmp", id.named.home, im.config.Config.WorkingDir, "/run/user/" + strconv.Itoa(id.uid)}
	for v := range im.config.Config.Volumes {
		dirs = append(dirs, v)
	}
	places := map[string]bool{}
	for _, dir := range dirs {
		if !path.IsAbs(dir) {
			continue
		}
		if place, _ := im.follow(dir); !isSystemDir(place) {
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
