package overlay

import (
	"path"
	"regexp"
	"strings"

	"github.com/lucid-project/base-images/lucidbase/verify/internal/programs"
	"github.com/lucid-project/base-images/lucidbase/verify/internal/scan"
)

// Damaged says why a loader cannot read a file that it would be shown: a program, a
// library, or what an import loads as an extension module.
func (im *Image) Damaged(e *Entry) (found, fix string) {
	c, at := e.Content(), e.At
	switch {
	case e.Kind == scan.Symlink:
		file := im.Regular(at)
		if extension(at) == "" || file == nil || isLibraryName(file.At) {
			return "", "" // judged by its own name
		}
		c = file.Content()
	case c.Kind != scan.Regular:
		return "", ""
	case c.ELF != nil && c.Problem != "":
		switch {
		case c.ELF.Type == "exec" || c.ELF.Type == "dyn", c.ELF.Type == "" && (c.Mode&0o111 != 0 || isLibraryName(at)):
			return c.Problem, ""
		}
		return "", ""
	}
	if !isLibraryName(at) || isDocumentation(at) || strings.HasPrefix(at, "/usr/lib/debug/") || hostDriver.MatchString(path.Base(at)) || strings.HasSuffix(at, "-darwin.so") {
		return "", ""
	}
	return im.noLibrary(at, c)
}

const (
	fixLFS      = "run git lfs pull before the build copies it"
	fixLinux    = "install the wheel that is made for Linux"
	fixLink     = "link it as a shared library (-shared -fPIC)"
	fixDownload = "fetch or build the file again; what is there is not what its name says"
)

// noLibrary says what stands in place of a library. Of one that no import loads only
// what is surely none: the names of linker scripts and test data end the same way.
func (im *Image) noLibrary(at string, c *scan.File) (found, fix string) {
	loaded := extension(at) == "tagged" || extension(at) == "plain" && im.isImported(at)
	switch {
	case TestDir.MatchString(at) && extension(at) != "tagged":
		return "", ""
	case c.ELF != nil && !loaded, c.ELF != nil && c.ELF.Type == "dyn" && (!c.ELF.Executable || c.ELF.Soname != ""):
		return "", ""
	case c.ELF != nil && elfKinds[c.ELF.Type] != "":
		return "it is " + elfKinds[c.ELF.Type] + ", no library", fixLink
	case c.ELF != nil:
		return "it is a program, no library: an import cannot load it", fixLink
	case c.Size == 0:
		return "it is empty, no library", ""
	case strings.Contains(c.Content, "Git LFS"):
		return "it is " + c.Content, fixLFS
	case c.Content == programs.MachO || strings.Contains(c.Content, "Windows"):
		return "it is " + c.Content + ", no library for Linux", fixLinux
	case strings.HasPrefix(c.Content, "a static"):
		return "it is " + c.Content + ", which no loader can load", fixLink
	case c.Content != "":
		return "it is " + c.Content + ", no library", fixDownload
	case loaded:
		return "it is no ELF file, so no library", fixDownload
	}
	return "", ""
}

var (
	libraryName = regexp.MustCompile(`\.so(\.[0-9.]+)?$`)
	// extensionName is what CPython on Linux loads for a module's name
	// (_PyImport_DynLoadFiletab in Python/dynload_shlib.c).
	extensionName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*(\.cpython-[0-9]+[a-z]*(-[a-z0-9_]+-linux[a-z0-9-]*)?|\.abi3t?)?\.so$`)
)

func isLibraryName(at string) bool {
	base := path.Base(at)
	return strings.Contains(base, ".so") && libraryName.MatchString(base)
}

// extension returns how a name is an extension module's: "tagged" for those that say so,
// "plain" for those that other libraries have too, "" for others.
func extension(at string) string {
	base := path.Base(at)
	m := extensionName.FindStringSubmatch(base)
	switch {
	case !strings.HasSuffix(base, ".so") || m == nil:
		return ""
	case m[1] != "":
		return "tagged"
	case strings.HasPrefix(base, "lib"):
		return "" // more likely another library, or a linker's script
	}
	return "plain"
}

// isImported reports whether modules are imported from a place.
func (im *Image) isImported(at string) bool {
	for _, dir := range []string{"/site-packages/", "/dist-packages/", "/lib-dynload/"} {
		if strings.Contains(at, dir) {
			return true
		}
	}
	if im.works.imported == nil {
		im.works.imported = map[string]bool{}
		list, _ := im.Env("PYTHONPATH")
		for _, dir := range append(firstDirs(strings.Split(list, ":")), ".") {
			if dir = im.Followed(dir); dir != "/" {
				im.works.imported[dir] = true
			}
		}
	}
	return IsWithin(at, im.works.imported)
}

// TestDir is in the paths of tests and of their data.
var TestDir = regexp.MustCompile(`/(tests?|testing|test_[^/]*|examples?|testdata|fixtures)/`)
