package rules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lucid-project/base-images/lucidbase/verify/internal/overlay"
)

var elfVersionRule = Rule{
	Name:    "elf-version",
	Summary: "every library has the symbol versions that its users need",
	Why:     "the loader refuses it: version not found",
	Fix:     "use a build for an older system (a manylinux wheel of the image's glibc), or a newer library",
	Check:   checkELFVersion,
}

func checkELFVersion(im *overlay.Image) []overlay.Hit {
	var faults []overlay.FileFault
	for _, v := range im.Loading().Lacking {
		found := fmt.Sprintf("needs %s of %s", v.Version, v.Library.At)
		if last := latest(v.Library.Elf.Provides, v.Version); last != "" {
			found += ", which has versions up to " + last
		} else {
			found += ", which does not have it"
		}
		faults = append(faults, overlay.FileFault{E: v.Of.Entry, Found: found})
	}
	return im.OneCause(faults)
}

// latest returns the highest version with the same name as another: of GLIBC_2.38,
// "GLIBC_2.36"; "" when the library has a higher one, or none.
func latest(versions []string, wanted string) string {
	i := strings.LastIndexByte(wanted, '_') + 1
	prefix := wanted[:i]
	highest := ""
	for _, v := range versions {
		if rest, ok := strings.CutPrefix(v, prefix); ok && overlay.IsDotted(rest) && (highest == "" || compareDotted(rest, highest) > 0) {
			highest = rest
		}
	}
	if highest == "" || !overlay.IsDotted(wanted[i:]) || compareDotted(wanted[i:], highest) < 0 {
		return ""
	}
	return prefix + highest
}

// compareDotted compares "2.9" and "2.36" number by number.
func compareDotted(a, b string) int {
	return slices.CompareFunc(strings.Split(a, "."), strings.Split(b, "."), func(a, b string) int {
		if len(a) != len(b) {
			return len(a) - len(b)
		}
		return strings.Compare(a, b)
	})
}
