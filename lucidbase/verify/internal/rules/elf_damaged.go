package rules

import (
	"github.com/lucid-project/base-images/lucidbase/verify/internal/overlay"
)

var elfDamagedRule = Rule{
	Name:    "elf-damaged",
	Summary: "every program and library can be read by a loader, and what an import would load is a library",
	Why:     "it cannot be started or loaded, or crashes when it is",
	Fix:     "copy the file again; a truncated download or a failed strip leaves such files",
	Check:   checkELFDamaged,
}

// checkELFDamaged looks at what claims to be loaded: a file that merely starts as
// ELF does can be any program's data.
func checkELFDamaged(im *overlay.Image) []overlay.Hit {
	var faults []overlay.FileFault
	im.Visible(func(e *overlay.Entry) {
		if found, fix := im.Damaged(e); found != "" {
			faults = append(faults, overlay.FileFault{E: e, Found: found, Fix: fix})
		}
	})
	return im.OneCause(faults)
}
