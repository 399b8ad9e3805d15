package rules

import (
	"fmt"

	"github.com/lucid-project/base-images/lucidbase/verify/internal/overlay"
	"github.com/lucid-project/base-images/lucidbase/verify/internal/scan"
)

var setuidRule = Rule{
	Name:    "setuid",
	Summary: "no file with the setuid or setgid bit; on a directory the bit gives nobody a right",
	Why:     "whoever runs it becomes its owner, usually root",
	Fix:     "chmod a-s in the layer that adds the file, or leave it out",
	Check:   checkSetuid,
}

func checkSetuid(im *overlay.Image) []overlay.Hit {
	var hits []overlay.Hit
	im.Visible(func(e *overlay.Entry) {
		if e.Kind != scan.Regular && e.Kind != scan.Hardlink {
			return
		}
		switch m := e.UnpackedMode(); {
		case m&0o6000 == 0o6000:
			hits = append(hits, e.Hit(fmt.Sprintf("setuid and setgid, mode %04o, owner %d:%d", m, e.Content().UID, e.Content().GID)))
		case m&0o4000 != 0:
			hits = append(hits, e.Hit(fmt.Sprintf("setuid, mode %04o, owner %d", m, e.Content().UID)))
		case m&0o2000 != 0:
			hits = append(hits, e.Hit(fmt.Sprintf("setgid, mode %04o, group %d", m, e.Content().GID)))
		}
	})
	return hits
}
