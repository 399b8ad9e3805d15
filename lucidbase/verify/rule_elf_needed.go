package verify

import (
	"fmt"
	"slices"
	"strings"
)

const (
	fixNeeded = "add the packages of these libraries, or take another build of the distribution, one that brings them or does without (of opencv-python: opencv-python-headless)"
	fixPlace  = "put it where the loader looks, or add its directory to ld.so.conf and run ldconfig after that"
	fixSearch = "take a newer release of it, or build it again: the path must start with $ORIGIN (auditwheel 6 writes that; patchelf --set-rpath '$ORIGIN/...'); unset a variable like LD_LIBRARY_PATH at the link"
)

func checkELFNeeded(im *image) []hit {
	l := im.load()
	var faults []fileFault
	for _, m := range l.missing {
		where, what, fix := l.whereIs(m)
		faults = append(faults, fileFault{e: m.of.entry, found: "needs " + m.name + ", which " + where + loadedBy(m.of), cause: "needs libraries that " + what, item: m.name, fix: fix})
	}
	im.native(func(e *entry, x *ELF) {
		for _, list := range [][]string{x.RPath, x.RunPath} {
			if i := slices.IndexFunc(list, func(dir string) bool { return isRelative(dir, list) }); i >= 0 {
				faults = append(faults, fileFault{e: e, found: fmt.Sprintf("its search path has %q: libraries are loaded from the current directory", list[i]), fix: fixSearch})
			}
		}
	})
	hits := im.oneCause(faults)
	if l.left != nil {
		hits = append(hits, l.left.hit("more libraries need each other than can be followed: this file and those after it were not judged").fixedBy(fixJudged))
	}
	return hits
}

// isRelative tells a part of a search path that depends on the current directory. An
// empty part of several is that directory; glibc ignores a path that is empty.
func isRelative(dir string, list []string) bool {
	if dir == "" {
		return len(list) > 1
	}
	return dir[0] != '/' && dir[0] != '$'
}

// whereIs says why a library is not found: of this one, and of several alike.
func (l *loading) whereIs(m missing) (one, several, fix string) {
	if e := l.byName[m.name]; len(e) > 0 { // all of them are native
		return "is at " + e[0].at + ", not on its search path", "are not on its search path", fixPlace
	}
	if machine := l.foreign[m.name]; machine != "" {
		one = "the image has for " + machine + " alone"
		return one, one, "install the package of the image's own platform"
	}
	return "is not in the image", "are not in the image", fixNeeded
}

// loadedBy names the program or module on whose behalf a library is loaded.
func loadedBy(o *object) string {
	if o.by == nil {
		return ""
	}
	for o.by != nil {
		o = o.by
	}
	return " (loaded for " + o.entry.at + ")"
}

func checkELFVersion(im *image) []hit {
	var faults []fileFault
	for _, v := range im.load().lacking {
		found := fmt.Sprintf("needs %s of %s", v.version, v.library.entry.at)
		if last := latest(v.library.elf.Provides, v.version); last != "" {
			found += ", which has versions up to " + last
		} else {
			found += ", which does not have it"
		}
		faults = append(faults, fileFault{e: v.of.entry, found: found})
	}
	return im.oneCause(faults)
}

// latest gives the highest version with the same name as another: of GLIBC_2.38,
// "GLIBC_2.36"; "" when the library has a higher one, or none.
func latest(versions []string, wanted string) string {
	i := strings.LastIndexByte(wanted, '_') + 1
	prefix := wanted[:i]
	highest := ""
	for _, v := range versions {
		if rest, ok := strings.CutPrefix(v, prefix); ok && isDotted(rest) && (highest == "" || compareDotted(rest, highest) > 0) {
			highest = rest
		}
	}
	if highest == "" || !isDotted(wanted[i:]) || compareDotted(wanted[i:], highest) < 0 {
		return ""
	}
	return prefix + highest
}

func isDotted(s string) bool { return s != "" && strings.Trim(s, "0123456789.") == "" }

// compareDotted compares "2.9" and "2.36" number by number.
func compareDotted(a, b string) int {
	return slices.CompareFunc(strings.Split(a, "."), strings.Split(b, "."), func(a, b string) int {
		if len(a) != len(b) {
			return len(a) - len(b)
		}
		return strings.Compare(a, b)
	})
}
