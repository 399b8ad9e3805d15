package rules

import (
	"github.com/lucid-project/base-images/lucidbase/verify/internal/elf"
	"github.com/lucid-project/base-images/lucidbase/verify/internal/overlay"
)

var elfStackRule = Rule{
	Name:    "elf-stack",
	Summary: "nothing asks for an executable stack, nor for memory that is writable and executable",
	Why:     "it turns off a protection for the whole process, and newer systems refuse to load it",
	Fix:     "link it with -z noexecstack, or clear the flag with patchelf --clear-execstack; without -N (--omagic)",
	Check:   checkELFStack,
}

func checkELFStack(im *overlay.Image) []overlay.Hit {
	var faults []overlay.FileFault
	im.Native(func(e *overlay.Entry, x *elf.File) {
		if x.ExecStack {
			faults = append(faults, overlay.FileFault{E: e, Found: "it asks for an executable stack", Fix: "link it with -z noexecstack, or clear the flag with patchelf --clear-execstack"})
		}
		if x.WritableCode {
			faults = append(faults, overlay.FileFault{E: e, Found: "a segment of it is writable and executable", Fix: "link it without -N (--omagic), with -z separate-code"})
		}
	})
	return im.OneCause(faults)
}
