package verify

import (
	"fmt"
	"slices"
)

// The rules of this file judge what a container sees: the mode of a file that a
// later layer replaces is no longer in force, and one that is deleted is the rule
// deleted's.

// mode has the bits of a hard link's own header too: Docker and containerd give
// them to the file when they unpack the link.
func (e *entry) mode() uint32 {
	if e.target != nil {
		return e.Mode | e.target.Mode
	}
	return e.Mode
}

func checkSetuid(im *image) []hit {
	var hits []hit
	im.visible(func(e *entry) {
		if e.Kind != Regular && e.Kind != Hardlink {
			return
		}
		switch m := e.mode(); {
		case m&0o6000 == 0o6000:
			hits = append(hits, e.hit(fmt.Sprintf("setuid and setgid, mode %04o, owner %d:%d", m, e.content().UID, e.content().GID)))
		case m&0o4000 != 0:
			hits = append(hits, e.hit(fmt.Sprintf("setuid, mode %04o, owner %d", m, e.content().UID)))
		case m&0o2000 != 0:
			hits = append(hits, e.hit(fmt.Sprintf("setgid, mode %04o, group %d", m, e.content().GID)))
		}
	})
	return hits
}

func checkCapabilities(im *image) []hit {
	var hits []hit
	im.visible(func(e *entry) {
		if slices.Contains(e.content().Xattrs, "security.capability") || slices.Contains(e.Xattrs, "security.capability") {
			hits = append(hits, e.hit("has file capabilities (security.capability)"))
		}
	})
	return hits
}

func checkDevice(im *image) []hit {
	what := map[Kind]string{CharDev: "a character device", BlockDev: "a block device", FIFO: "a named pipe"}
	var hits []hit
	im.visible(func(e *entry) {
		if what[e.content().Kind] != "" {
			hits = append(hits, e.hit(what[e.content().Kind]))
		}
	})
	return hits
}

func checkWorldWritable(im *image) []hit {
	var hits []hit
	im.visible(func(e *entry) {
		m := e.mode()
		if m&0o002 == 0 {
			return
		}
		switch e.Kind {
		case Regular, Hardlink:
			hits = append(hits, e.hit(fmt.Sprintf("a file that everybody may write, mode %04o", m)))
		case Directory:
			temporary := e.at == "/tmp" || e.at == "/var/tmp"
			switch {
			case m&0o1000 == 0:
				hits = append(hits, e.hit(fmt.Sprintf("a directory that everybody may write, not sticky, mode %04o", m)))
			case !temporary:
				hits = append(hits, e.hit(fmt.Sprintf("a directory that everybody may write, mode %04o", m)))
			}
		}
	})
	return hits
}
