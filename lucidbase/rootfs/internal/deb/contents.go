package deb

import (
	"archive/tar"
	"strings"

	"github.com/lucid-project/base-images/lucidbase/lock"
	"github.com/lucid-project/base-images/lucidbase/rootfs/internal/tree"
)

// StaticInit is the program of the package tini that runs with any C library.
const StaticInit = "usr/bin/tini-static"

// ballast is what no image needs: documentation, translations, desktop files,
// what debuggers, bug reports and package scripts use.
var ballast = []string{
	"usr/bin/pydoc" + lock.PythonMinor,
	"usr/lib/aarch64-linux-gnu/gconv", // iconv(3) for the character sets of other locales; Python has its own
	"usr/lib/x86_64-linux-gnu/gconv",
	"usr/share/applications",
	"usr/share/base-files",
	"usr/share/bug",
	"usr/share/doc-base",
	"usr/share/gcc",
	"usr/share/gdb",
	"usr/share/info",
	"usr/share/lintian",
	"usr/share/locale",
	"usr/share/man",
	"usr/share/menu",
	"usr/share/pixmaps",
	"usr/share/zoneinfo/localtime", // a link to /etc/localtime, which no image has
}

// LeftOut reports whether a layer goes without an entry of a package.
func LeftOut(e *tree.Entry) bool {
	for _, b := range ballast {
		if e.Name == b || strings.HasPrefix(e.Name, b+"/") {
			return true
		}
	}
	if locale, ok := strings.CutPrefix(e.Name, "usr/lib/locale/"); ok {
		return locale != "C.utf8" && !strings.HasPrefix(locale, "C.utf8/")
	}
	if doc, ok := strings.CutPrefix(e.Name, tree.DocDir); ok {
		_, file, below := strings.Cut(doc, "/")
		return below && file != "copyright" || !below && e.Kind == tar.TypeReg
	}
	// It is listed for its locale, C.UTF-8; its programs are for administrators.
	return e.From == "libc-bin" && e.Kind != tar.TypeDir
}
