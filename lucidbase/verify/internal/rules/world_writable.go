package rules

import (
	"fmt"

	"github.com/lucid-project/base-images/lucidbase/verify/internal/overlay"
	"github.com/lucid-project/base-images/lucidbase/verify/internal/scan"
)

var worldWritableRule = Rule{
	Name:    "world-writable",
	Summary: "nothing that everybody may write but /tmp and /var/tmp, which are sticky",
	Why:     "any process can replace what another one trusts",
	Fix:     "chmod o-w in the layer that adds it; 1777 for /tmp and /var/tmp",
	Check:   checkWorldWritable,
}

func checkWorldWritable(im *overlay.Image) []overlay.Hit {
	var hits []overlay.Hit
	im.Visible(func(e *overlay.Entry) {
		m := e.UnpackedMode()
		if m&0o002 == 0 {
			return
		}
		switch e.Kind {
		case scan.Regular, scan.Hardlink:
			hits = append(hits, e.Hit(fmt.Sprintf("a file that everybody may write, mode %04o", m)))
		case scan.Directory:
			temporary := e.At == "/tmp" || e.At == "/var/tmp"
			switch {
			case m&0o1000 == 0:
				hits = append(hits, e.Hit(fmt.Sprintf("a directory that everybody may write, not sticky, mode %04o", m)))
			case !temporary:
				hits = append(hits, e.Hit(fmt.Sprintf("a directory that everybody may write, mode %04o", m)))
			}
		}
	})
	return hits
}
