package rules

import (
	"fmt"

	"github.com/lucid-project/base-images/lucidbase/verify/internal/elf"
	"github.com/lucid-project/base-images/lucidbase/verify/internal/overlay"
)

var elfMachineRule = Rule{
	Name:    "elf-machine",
	Summary: "every program and library is made for the image's architecture",
	Why:     "the CPU cannot run it: exec format error, or an import that fails",
	Fix:     "install the package or wheel of the image's own platform; where there is none and nothing starts the program, waive it",
	Check:   checkELFMachine,
}

func checkELFMachine(im *overlay.Image) []overlay.Hit {
	want := overlay.Machines[im.Config.Architecture]
	if want == "" {
		return nil // the rule platform judges the config
	}
	var faults []overlay.FileFault
	im.Loadable(func(e *overlay.Entry, x *elf.File) {
		if x.Machine != want && x.Machine != "" {
			faults = append(faults, overlay.FileFault{E: e, Found: fmt.Sprintf("made for %s, the image is for %s", x.Machine, im.Config.Architecture)})
		}
	})
	return im.OneCause(faults)
}
