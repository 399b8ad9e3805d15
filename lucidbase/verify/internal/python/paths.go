package python

import (
	"path"
	"regexp"
	"strings"
)

// IsFinder reports whether a module is one that setuptools, scikit-build-core, hatchling and
// meson-python write for an editable install.
func IsFinder(base string) bool {
	return path.Ext(base) == ".py" && strings.Contains(base, "editable_")
}

var pythonLib = regexp.MustCompile(`^python[0-9]+(\.[0-9]+)?$`)

// IsModuleDir reports whether Python imports from directories of this name.
func IsModuleDir(name string) bool {
	return name == "site-packages" || name == "dist-packages" || pythonLib.MatchString(name)
}

// IsSiteDir reports whether a directory has modules, and not settings as /etc/python3.11.
func IsSiteDir(dir string) bool {
	base := path.Base(dir)
	return IsModuleDir(base) && (!pythonLib.MatchString(base) || strings.HasPrefix(path.Base(path.Dir(dir)), "lib"))
}
