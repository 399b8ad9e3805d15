package verify

import (
	"path"
	"slices"
	"strconv"
	"strings"
)

// checkTags compares the tags of an installed wheel with the interpreter and the
// platform, as an installer does; "" when one fits or there is none.
// https://packaging.python.org/en/latest/specifications/platform-compatibility-tags/
func (w *resolved) checkTags(d *installedDist) string {
	e := w.im.regular(path.Join(d.info, "WHEEL"))
	if e == nil || len(e.content().WheelTags) == 0 || len(w.markers) == 0 {
		return ""
	}
	tags, minor := e.content().WheelTags, w.markers[0]["python_version"]
	if slices.ContainsFunc(tags, func(tag string) bool { return w.im.takes(tag, minor) }) {
		return ""
	}
	return d.Name + " is a wheel for " + tags[0] + ", the image has Python " + minor + " on " + w.im.config.Architecture + " (" + w.im.loaderLibc() + ")"
}

// takes tells whether an interpreter takes a wheel with a tag. What is no tag is
// left alone.
func (im *image) takes(tag, minor string) bool {
	parts := strings.Split(tag, "-")
	if len(parts) != 3 {
		return true
	}
	return slices.ContainsFunc(strings.Split(parts[0], "."), func(tag string) bool { return takesPython(tag, parts[1], minor) }) &&
		slices.ContainsFunc(strings.Split(parts[2], "."), im.takesPlatform)
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

func (im *image) takesPlatform(platform string) bool {
	machine := cpus[im.config.Architecture]
	switch libc := im.loaderLibc(); {
	case platform == "any" || machine == "":
		return true
	case !strings.HasSuffix(platform, "_"+machine):
		return false
	case strings.HasPrefix(platform, "manylinux"):
		return libc != musl
	case strings.HasPrefix(platform, "musllinux"):
		return libc != glibc
	}
	return strings.HasPrefix(platform, "linux")
}

// loaderLibc is the C library of the image, where there is one.
func (im *image) loaderLibc() string {
	if im.works.libc == "" {
		im.works.libc = "unknown libc"
		if has := im.libcs(); len(has) == 1 {
			im.works.libc = glibc
			if has[musl] {
				im.works.libc = musl
			}
		}
	}
	return im.works.libc
}
