package rules

import (
	"github.com/lucid-project/base-images/lucidbase/verify/internal/overlay"
	"github.com/lucid-project/base-images/lucidbase/verify/internal/scan"
)

var deviceRule = Rule{
	Name:    "device",
	Summary: "no device node and no named pipe",
	Why:     "a device node reaches past the container's file system; the runtime makes those that a container needs",
	Fix:     "remove the node",
	Check:   checkDevice,
}

func checkDevice(im *overlay.Image) []overlay.Hit {
	what := map[scan.Kind]string{scan.CharDev: "a character device", scan.BlockDev: "a block device", scan.FIFO: "a named pipe"}
	var hits []overlay.Hit
	im.Visible(func(e *overlay.Entry) {
		if what[e.Content().Kind] != "" {
			hits = append(hits, e.Hit(what[e.Content().Kind]))
		}
	})
	return hits
}
