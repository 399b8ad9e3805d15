package rules

import (
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/lucid-project/base-images/lucidbase/verify/internal/overlay"
)

// checkTags compares the tags of an installed wheel with the interpreter and the
// platform, as an installer does; "" when one fits or there is none.
// https://packaging.python.org/en/latest/specifications/platform-compatibility-tags/
func checkTags(w *overlay.Resolved, d *overlay.InstalledDist) string {
	e := w.Im.Regular(path.Join(d.Info, "WHEEL"))
	if e == nil || len(e.Content().WheelTags) == 0 || len(w.Markers) == 0 {
		return ""
	}
	tags, minor := e.Content().WheelTags, w.Markers[0]["python_version"]
	if slices.ContainsFunc(tags, func(tag string) bool { return takes(w.Im, tag, minor) }) {
		return ""
	}
	return d.Name + " is a wheel for " + tags[0] + ", the image has Python " + minor + " on " + w.Im.Config.Architecture + " (" + w.Im.LoaderLibc() + ")"
}

// takes reports whether an interpreter takes a wheel with a tag. What is no tag is
// left alone.
func takes(im *overlay.Image, tag, minor string) bool {
	parts := strings.Split(tag, "-")
	if len(parts) != 3 {
		return true
	}
	return slices.ContainsFunc(strings.Split(parts[0], "."), func(tag string) bool { return takesPython(tag, parts[1], minor) }) &&
		slices.ContainsFunc(strings.Split(parts[2], "."), func(tag string) bool { return takesPlatform(im, tag) })
}

// takesPython compares "py3", "py38", "cp311" or "cp38" of the stable ABI with
// "3.11". Of another implementation's interpreter nothing is known.
func takesPython(tag, abi, minor string) bool {
	name, digits := strings.TrimRight(tag, "0123456789"), strings.TrimLeft(tag, "abcdefghijklmnopqrstuvwxyz")
	if digits == "" || name != "py" && name != "cp" {
		return false
	}
	major, rest, _ := strings.Cut(minor, ".")
	if digits[:1] != major {
		return false
	}
	wanted, _ := strconv.Atoi(digits[1:])
	has, _ := strconv.Atoi(rest)
	if name == "cp" && abi != "abi3" && abi != "none" {
		return wanted == has
	}
	return wanted <= has
}

func takesPlatform(im *overlay.Image, platform string) bool {
	machine := overlay.CPUs[im.Config.Architecture]
	switch libc := im.LoaderLibc(); {
	case platform == "any" || machine == "":
		return true
	case !strings.HasSuffix(platform, "_"+machine):
		return false
	case strings.HasPrefix(platform, "manylinux"):
		return libc != overlay.Musl
	case strings.HasPrefix(platform, "musllinux"):
		return libc != overlay.Glibc
	}
	return strings.HasPrefix(platform, "linux")
}
