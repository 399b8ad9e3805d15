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
		hits = append(hits, hit{"config:User", -1, w})
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
				hits = append(hits, im.stat("/etc/group").hit(fmt.Sprintf("user %s (%d) is a member of root's group", member, id.uid)))
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
	theirs := map[string]*entry{}
	im.visible(func(e *entry) {
		c := e.content()
		byGroup := id.gid != 0 && c.GID == id.gid && c.Mode&0o020 != 0 && e.Kind != Symlink
		if (c.UID == id.uid || byGroup) && !im.mayWrite(id, e.at) {
			theirs[e.at] = e
		}
	})
	below := map[string]int{}
	for at := range theirs {
		if top := topmost(theirs, at); top != at {
			below[top]++
		}
	}
	var hits []hit
	for at, e := range theirs {
		if topmost(theirs, at) != at {
			continue
		}
		found := fmt.Sprintf("belongs to user %d, mode %04o", e.content().UID, e.content().Mode)
		if e.content().UID != id.uid {
			found = fmt.Sprintf("group %d may write it, mode %04o", id.gid, e.content().Mode)
		}
		if n := below[at]; n > 0 {
			found += fmt.Sprintf("; so do %d below it", n)
		}
		hits = append(hits, e.hit(found))
	}
	return hits
}

func topmost(of map[string]*entry, at string) string {
	top := at
	for dir := path.Dir(at); ; dir = path.Dir(dir) {
		if of[dir] == nil {
			return top
		}
		if top = dir; dir == "/" {
			return top
		}
	}
}

// mayWrite tells the places that are the user's own: the temporary directories,
// its home, the working directory and the declared volumes, unless these are
// directories of the system.
func (im *image) mayWrite(id identity, at string) bool {
	dirs := []string{"/tmp", "/var/tmp", id.named.home, im.config.Config.WorkingDir, "/run/user/" + strconv.Itoa(id.uid)}
	for v := range im.config.Config.Volumes {
		dirs = append(dirs, v)
	}
	for _, dir := range dirs {
		if !path.IsAbs(dir) {
			continue
		}
		place, _ := im.follow(dir)
		if !isSystemDir(place) && (at == place || strings.HasPrefix(at, place+"/")) {
			return true
		}
	}
	return false
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
