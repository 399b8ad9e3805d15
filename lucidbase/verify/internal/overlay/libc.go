package overlay

import (
	"path"
	"regexp"
	"strings"

	"github.com/lucid-project/base-images/lucidbase/verify/internal/elf"
	"github.com/lucid-project/base-images/lucidbase/verify/internal/scan"
)

// Names of C libraries.
const (
	Glibc = "glibc"
	Musl  = "musl"
)

// Libcs are those that the image has the loader of.
func (im *Image) Libcs() map[string]bool {
	has := map[string]bool{}
	im.Native(func(e *Entry, _ *elf.File) {
		if libc := loaderOf(path.Base(e.At)); libc != "" {
			has[libc] = true
		}
	})
	for name := range im.linksIn("/lib", "/lib64") { // musl's loader may be a link to its libc.so
		if libc := loaderOf(name); libc != "" {
			has[libc] = true
		}
	}
	return has
}

// linksIn returns the names in directories that lead to a file.
func (im *Image) linksIn(dirs ...string) map[string]bool {
	names := map[string]bool{}
	for _, dir := range dirs {
		if n := im.Lookup(dir); n != nil {
			for name, child := range n.Children {
				if child.Entry != nil && child.Entry.Kind == scan.Symlink && im.Regular(path.Join(dir, name)) != nil {
					names[name] = true
				}
			}
		}
	}
	return names
}

// loaderOf returns the C library whose dynamic loader has a name, "" for none.
func loaderOf(name string) string {
	switch {
	case strings.HasPrefix(name, "ld-musl-"):
		return Musl
	case strings.HasPrefix(name, "ld-linux"), strings.HasPrefix(name, "ld64.so"):
		return Glibc
	}
	return ""
}

// SuffixOf is how the names of extension modules end, before ".so".
var SuffixOf = map[string]string{Glibc: "linux-gnu", Musl: "linux-musl"}

// glibcOwn are glibc's libraries. Others, such as libgcc_s, define versions called
// GLIBC_2.0 too.
var glibcOwn = regexp.MustCompile(`^(lib(c|m|dl|rt|util|pthread|resolv)\.so\.[0-9]|ld-linux|ld64\.so)`)

// LibcOf returns the C library that a file was linked with, and by what that is seen.
func LibcOf(at string, x *elf.File) (libc, why string) {
	if libc := loaderOf(path.Base(x.Interpreter)); libc != "" {
		return libc, "its loader is " + x.Interpreter
	}
	if x.Interpreter == "" && len(x.Needed) == 0 || loaderOf(path.Base(at)) != "" {
		return "", "" // static, or the loader itself
	}
	for _, r := range x.Requires {
		if strings.HasPrefix(r.Version, "GLIBC_") && glibcOwn.MatchString(r.Library) {
			return Glibc, "it needs " + r.Version
		}
	}
	for _, name := range x.Needed {
		switch {
		case name == "libc.so", strings.HasPrefix(name, "libc.musl-"), loaderOf(name) == Musl:
			return Musl, "it needs " + name
		case name == "libc.so.6", loaderOf(name) == Glibc:
			return Glibc, "it needs " + name
		}
	}
	for libc, suffix := range SuffixOf {
		if strings.HasSuffix(at, "-"+suffix+".so") {
			return libc, "by its name"
		}
	}
	return "", ""
}

// PythonLibc is that of the image's interpreter.
func (im *Image) PythonLibc() (libc string) {
	for _, e := range im.nativePythons() {
		libc, _ = LibcOf(e.At, e.Content().ELF)
	}
	return libc
}

// LoaderLibc is the C library of the image, where there is one.
func (im *Image) LoaderLibc() string {
	if im.works.libc == "" {
		im.works.libc = "unknown libc"
		if has := im.Libcs(); len(has) == 1 {
			im.works.libc = Glibc
			if has[Musl] {
				im.works.libc = Musl
			}
		}
	}
	return im.works.libc
}
