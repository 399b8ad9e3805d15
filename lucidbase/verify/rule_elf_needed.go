package verify

import (
	"fmt"
	"slices"
	"strings"
)

func checkELFNeeded(im *image) []hit {
	l := im.load()
	var hits []hit
	for _, m := range l.missing {
		hits = append(hits, m.of.hit("needs "+m.name+", which "+l.whereIs(m)+loadedBy(m.of)))
	}
	im.native(func(e *entry, x *ELF) {
		for _, list := range [][]string{x.RPath, x.RunPath} {
			if i := slices.IndexFunc(list, func(dir string) bool { return isRelative(dir, list) }); i >= 0 {
				hits = append(hits, e.hit(fmt.Sprintf("its search path has %q: libraries are loaded from the current directory", list[i])))
			}
		}
	})
	if l.left != nil {
		hits = append(hits, l.left.hit("more libraries need each other than can be followed: this file and those after it were not judged"))
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

// whereIs says why a library is not found.
func (l *loading) whereIs(m missing) string {
	if e := l.byName[m.name]; len(e) > 0 { // all of them are native
		return "is at " + e[0].at + ", not on its search path"
	}
	if machine := l.foreign[m.name]; machine != "" {
		return "the image has for " + machine + " alone"
	}
	return "is not in the image"
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
	var hits []hit
	for _, v := range im.load().lacking {
		found := fmt.Sprintf("needs %s of %s", v.version, v.library.entry.at)
		if last := latest(v.library.elf.Provides, v.version); last != "" {
			found += ", which has versions up to " + last
		} else {
			found += ", which does not have it"
		}
		hits = append(hits, v.of.hit(found))
	}
	return hits
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
