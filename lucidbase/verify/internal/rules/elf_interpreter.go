package rules

import (
	"github.com/lucid-project/base-images/lucidbase/verify/internal/elf"
	"github.com/lucid-project/base-images/lucidbase/verify/internal/overlay"
)

var elfInterpreterRule = Rule{
	Name:    "elf-interpreter",
	Summary: "the dynamic loader that a program names is in the image, for the same machine, and executable",
	Why:     "the kernel cannot start the program: no such file or directory",
	Fix:     "add the package of the C library that it was linked with, or link it statically",
	Check:   checkELFInterpreter,
}

// checkELFInterpreter asks what execve(2) asks: the loader must be there and
// executable. A library may name one too, which is used when it is run.
func checkELFInterpreter(im *overlay.Image) []overlay.Hit {
	var faults []overlay.FileFault
	im.Loadable(func(e *overlay.Entry, x *elf.File) {
		if x.Interpreter == "" || x.Soname != "" {
			return
		}
		loader := im.Regular(im.Absolute(x.Interpreter))
		found, fix := "its loader "+x.Interpreter, ""
		switch {
		case loader == nil:
			found += " is not in the image"
		case loader.Content().ELF == nil:
			found += " is no ELF file"
		case loader.Content().ELF.Machine != x.Machine:
			fix = "install the C library and the program for one machine, the image's own"
			found += " is for " + loader.Content().ELF.Machine + ", the program for " + x.Machine
		case loader.Content().Mode&0o111 == 0:
			found += " is not executable"
			fix = "make the loader executable: chmod 755"
		default:
			return
		}
		faults = append(faults, overlay.FileFault{E: e, Found: found, Fix: fix})
	})
	return im.OneCause(faults)
}
