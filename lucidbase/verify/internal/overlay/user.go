package overlay

import (
	"fmt"
	"strconv"
	"strings"
)

// maxID is the largest user or group id that Docker takes.
const maxID = 1<<31 - 1

// Identity is who the image's processes are.
type Identity struct {
	Uid, Gid int
	// Known is false when the config's user is a name that /etc/passwd lacks.
	Known bool
	// Named is the user's line in /etc/passwd, if there is one.
	Named passwd
	// Wrong says what is wrong with the config's user.
	Wrong []string
}

type passwd struct {
	Name, Home string
	uid, gid   int
}

// passwds reads the lines of /etc/passwd that can be read.
func (im *Image) passwds() []passwd {
	var all []passwd
	for _, f := range im.Table("/etc/passwd", 7) {
		uid, err1 := strconv.Atoi(f[2])
		gid, err2 := strconv.Atoi(f[3])
		if err1 == nil && err2 == nil {
			all = append(all, passwd{f[0], f[5], uid, gid})
		}
	}
	return all
}

// Table returns the lines of a file of colon-separated fields that have enough.
func (im *Image) Table(file string, fields int) [][]string {
	e := im.Stat(file)
	if e == nil {
		return nil
	}
	var lines [][]string
	for line := range strings.Lines(e.Content().Text) {
		if f := strings.Split(strings.TrimRight(line, "\r\n"), ":"); len(f) >= fields {
			lines = append(lines, f)
		}
	}
	return lines
}

// User reads the config's user as a container runtime does: "user", "uid", each
// with ":group" or ":gid"; no group means the one of /etc/passwd, or root's.
func (im *Image) User() Identity {
	id := Identity{Known: true}
	user, group, hasGroup := strings.Cut(im.Config.Config.User, ":")
	if user == "" {
		id.Wrong = append(id.Wrong, "no user: everything runs as root")
		return id
	}
	uid, err := parseID(user)
	numeric := err == nil
	id.Uid, id.Known = uid, numeric
	for _, p := range im.passwds() {
		if numeric && p.uid == uid || !numeric && p.Name == user {
			id.Named, id.Known, id.Uid, id.Gid = p, true, p.uid, p.gid
			break
		}
	}
	switch {
	case numeric && uid == 0:
		id.Wrong = append(id.Wrong, "user 0 is root")
	case !numeric && id.Known:
		id.Wrong = append(id.Wrong, fmt.Sprintf("user %q is a name (of %d), not a number", user, id.Uid))
	case !numeric:
		id.Wrong = append(id.Wrong, fmt.Sprintf("user %q is a name that /etc/passwd does not have", user))
	}
	im.group(&id, group, hasGroup)
	return id
}

func (im *Image) group(id *Identity, group string, hasGroup bool) {
	if !hasGroup || group == "" {
		if id.Gid == 0 && id.Uid != 0 {
			id.Wrong = append(id.Wrong, "no group: it is root's, 0")
		}
		return
	}
	gid, err := parseID(group)
	if err != nil {
		id.Wrong = append(id.Wrong, fmt.Sprintf("group %q is a name, not a number", group))
		for _, f := range im.Table("/etc/group", 3) {
			if n, err := strconv.Atoi(f[2]); err == nil && f[0] == group {
				gid = n
			}
		}
	} else if gid == 0 {
		id.Wrong = append(id.Wrong, "group 0 is root's")
	}
	id.Gid = gid
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
