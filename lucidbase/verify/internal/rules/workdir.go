package rules

import (
	"fmt"
	"path"

	"github.com/lucid-project/base-images/lucidbase/verify/internal/overlay"
	"github.com/lucid-project/base-images/lucidbase/verify/internal/scan"
)

var workdirRule = Rule{
	Name:    "workdir",
	Summary: "an absolute working directory that is there and that the user may enter",
	Why:     "the runtime makes a missing one as root, or does not start the container",
	Fix:     "WORKDIR to a directory that a layer has",
	Check:   checkWorkdir,
}

func checkWorkdir(im *overlay.Image) []overlay.Hit {
	const field = "config:WorkingDir"
	dir := im.Config.Config.WorkingDir
	if dir == "" {
		return nil // the root
	}
	if !path.IsAbs(dir) {
		return overlay.AtConfig(field, dir+" is relative")
	}
	id := im.User()
	at, n := im.Follow(dir)
	switch {
	case n == nil:
		return overlay.AtConfig(field, dir+" is not in the image")
	case n.Entry != nil && n.Entry.Kind != scan.Directory:
		return overlay.AtConfig(field, dir+" is a file, not a directory")
	case !im.May(id, at, overlay.MaySearch):
		return overlay.AtConfig(field, fmt.Sprintf("%s may not be entered by %d:%d: %s", dir, id.Uid, id.Gid, im.Barrier(id, at)))
	}
	return nil
}
