package rules

import (
	"fmt"

	"github.com/lucid-project/base-images/lucidbase/verify/internal/elf"
	"github.com/lucid-project/base-images/lucidbase/verify/internal/overlay"
)

var elfAlignRule = Rule{
	Name:    "elf-align",
	Summary: "on ARM64 every LOAD segment is aligned to at least 16 KiB",
	Why:     "kernels with 16 KiB pages, such as the Raspberry Pi 5's, cannot map it: ELF load command alignment not page-aligned",
	Fix:     "use a version that was linked with -z max-page-size=65536",
	Check:   checkELFAlign,
}

// pageSize is the largest of ARM64's that Lucid's hosts have: that of the
// Raspberry Pi 5's kernel. A segment aligned to less cannot be mapped there.
const pageSize = 16 << 10

func checkELFAlign(im *overlay.Image) []overlay.Hit {
	if im.Config.Architecture != "arm64" {
		return nil
	}
	var faults []overlay.FileFault
	im.Native(func(e *overlay.Entry, x *elf.File) {
		if x.Align > 0 && x.Align < pageSize {
			faults = append(faults, overlay.FileFault{E: e, Found: fmt.Sprintf("a segment is aligned to %d bytes, a page may have %d", x.Align, pageSize)})
		}
	})
	return im.OneCause(faults)
}
