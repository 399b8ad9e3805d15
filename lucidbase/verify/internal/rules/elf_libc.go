package rules

import (
	"fmt"
	"strings"

	"github.com/lucid-project/base-images/lucidbase/verify/internal/elf"
	"github.com/lucid-project/base-images/lucidbase/verify/internal/overlay"
)

var elfLibcRule = Rule{
	Name:    "elf-libc",
	Summary: "programs and libraries are made for the C library that the image has",
	Why:     "glibc and musl are no replacement for each other: it does not load, or crashes later",
	Fix:     "install the wheel for this libc: manylinux for glibc, musllinux for musl",
	Check:   checkELFLibc,
}

// checkELFLibc compares with the C library whose loader the image has. Where both
// are there (gcompat), only Python's extension modules are judged, by their name:
// they must fit the interpreter.
func checkELFLibc(im *overlay.Image) []overlay.Hit {
	has := im.Libcs()
	var faults []overlay.FileFault
	im.Native(func(e *overlay.Entry, x *elf.File) {
		want, why := overlay.LibcOf(e.At, x)
		switch {
		case want == "" || len(has) == 0:
		case len(has) == 1 && !has[want]:
			faults = append(faults, overlay.FileFault{E: e, Found: fmt.Sprintf("made for %s (%s), the image has %s", want, why, other(want)),
				Cause: "made for " + want + ", the image has " + other(want)})
		case len(has) == 2 && strings.HasSuffix(e.At, "-"+overlay.SuffixOf[want]+".so"):
			if libc := im.PythonLibc(); libc != "" && libc != want {
				faults = append(faults, overlay.FileFault{E: e, Found: fmt.Sprintf("made for %s (%s), the image's Python is made for %s", want, why, libc), Cause: "made for " + want + ", the image's Python is made for " + libc})
			}
		}
	})
	return im.OneCause(faults)
}

func other(libc string) string {
	if libc == overlay.Glibc {
		return overlay.Musl
	}
	return overlay.Glibc
}
