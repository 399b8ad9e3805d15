package rules

import (
	"fmt"
	"slices"

	"github.com/lucid-project/base-images/lucidbase/verify/internal/elf"
	"github.com/lucid-project/base-images/lucidbase/verify/internal/overlay"
)

var elfNeededRule = Rule{
	Name:    "elf-needed",
	Summary: "every library that a program or library needs is where the loader looks for it, which is never the current directory",
	Why:     "the program does not start, or the import fails: cannot open shared object file; from the current directory it takes what anybody puts there",
	Fix:     "add the package of the library; in a directory of ld.so.conf it also needs ldconfig after it",
	Check:   checkELFNeeded,
}

const (
	fixNeeded = "add the packages of these libraries, or take another build of the distribution, one that brings them or does without (of opencv-python: opencv-python-headless)"
	fixPlace  = "put it where the loader looks, or add its directory to ld.so.conf and run ldconfig after that"
	fixSearch = "take a newer release of it, or build it again: the path must start with $ORIGIN (auditwheel 6 writes that; patchelf --set-rpath '$ORIGIN/...'); unset a variable like LD_LIBRARY_PATH at the link"
)

func checkELFNeeded(im *overlay.Image) []overlay.Hit {
	l := im.Loading()
	var faults []overlay.FileFault
	for _, m := range l.Missing {
		where, what, fix := whereIs(l, m)
		faults = append(faults, overlay.FileFault{E: m.Of.Entry, Found: "needs " + m.Name + ", which " + where + loadedBy(m.Of), Cause: "needs libraries that " + what, Item: m.Name, Fix: fix})
	}
	im.Native(func(e *overlay.Entry, x *elf.File) {
		for _, list := range [][]string{x.RPath, x.RunPath} {
			if i := slices.IndexFunc(list, func(dir string) bool { return isRelative(dir, list) }); i >= 0 {
				faults = append(faults, overlay.FileFault{E: e, Found: fmt.Sprintf("its search path has %q: libraries are loaded from the current directory", list[i]), Fix: fixSearch})
			}
		}
	})
	hits := im.OneCause(faults)
	if l.Left != nil {
		hits = append(hits, l.Left.Hit("more libraries need each other than can be followed: this file and those after it were not judged").FixedBy(overlay.FixJudged))
	}
	return hits
}

// isRelative reports whether a part of a search path depends on the current directory. An
// empty part of several is that directory; glibc ignores a path that is empty.
func isRelative(dir string, list []string) bool {
	if dir == "" {
		return len(list) > 1
	}
	return dir[0] != '/' && dir[0] != '$'
}

// whereIs says why a library is not found: of this one, and of several alike.
func whereIs(l *overlay.Loading, m overlay.Missing) (one, several, fix string) {
	if e := l.ByName[m.Name]; len(e) > 0 { // all of them are native
		return "is at " + e[0].At + ", not on its search path", "are not on its search path", fixPlace
	}
	if machine := l.Foreign[m.Name]; machine != "" {
		one = "the image has for " + machine + " alone"
		return one, one, "install the package of the image's own platform"
	}
	return "is not in the image", "are not in the image", fixNeeded
}

// loadedBy names the program or module on whose behalf a library is loaded.
func loadedBy(o *overlay.Object) string {
	if o.By == nil {
		return ""
	}
	for o.By != nil {
		o = o.By
	}
	return " (loaded for " + o.At + ")"
}
