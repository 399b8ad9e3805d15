package verify

import (
	"fmt"
	"path"
	"regexp"
	"strings"
)

func checkELFMachine(im *image) []hit {
	want := machines[im.config.Architecture]
	if want == "" {
		return nil // the rule platform judges the config
	}
	var faults []fileFault
	im.loadable(func(e *entry, x *ELF) {
		if x.Machine != want && x.Machine != "" {
			faults = append(faults, fileFault{e: e, found: fmt.Sprintf("made for %s, the image is for %s", x.Machine, im.config.Architecture)})
		}
	})
	return im.oneCause(faults)
}

// checkELFInterpreter asks what execve(2) asks: the loader must be there and
// executable. A library may name one too, which is used when it is run.
func checkELFInterpreter(im *image) []hit {
	var faults []fileFault
	im.loadable(func(e *entry, x *ELF) {
		if x.Interpreter == "" || x.Soname != "" {
			return
		}
		loader := im.regular(im.absolute(x.Interpreter))
		found, fix := "its loader "+x.Interpreter, ""
		switch {
		case loader == nil:
			found += " is not in the image"
		case loader.content().ELF == nil:
			found += " is no ELF file"
		case loader.content().ELF.Machine != x.Machine:
			fix = "install the C library and the program for one machine, the image's own"
			found += " is for " + loader.content().ELF.Machine + ", the program for " + x.Machine
		case loader.content().Mode&0o111 == 0:
			found += " is not executable"
			fix = "make the loader executable: chmod 755"
		default:
			return
		}
		faults = append(faults, fileFault{e: e, found: found, fix: fix})
	})
	return im.oneCause(faults)
}

// pageSize is the largest of ARM64's that Lucid's hosts have: that of the
// Raspberry Pi 5's kernel. A segment aligned to less cannot be mapped there.
const pageSize = 16 << 10

func checkELFAlign(im *image) []hit {
	if im.config.Architecture != "arm64" {
		return nil
	}
	var faults []fileFault
	im.native(func(e *entry, x *ELF) {
		if x.Align > 0 && x.Align < pageSize {
			faults = append(faults, fileFault{e: e, found: fmt.Sprintf("a segment is aligned to %d bytes, a page may have %d", x.Align, pageSize)})
		}
	})
	return im.oneCause(faults)
}

func checkELFStack(im *image) []hit {
	var faults []fileFault
	im.native(func(e *entry, x *ELF) {
		if x.ExecStack {
			faults = append(faults, fileFault{e: e, found: "it asks for an executable stack", fix: "link it with -z noexecstack, or clear the flag with patchelf --clear-execstack"})
		}
		if x.WritableCode {
			faults = append(faults, fileFault{e: e, found: "a segment of it is writable and executable", fix: "link it without -N (--omagic), with -z separate-code"})
		}
	})
	return im.oneCause(faults)
}

// Names of C libraries.
const (
	glibc = "glibc"
	musl  = "musl"
)

// checkELFLibc compares with the C library whose loader the image has. Where both
// are there (gcompat), only Python's extension modules are judged, by their name:
// they must fit the interpreter.
func checkELFLibc(im *image) []hit {
	has := im.libcs()
	var faults []fileFault
	im.native(func(e *entry, x *ELF) {
		want, why := libcOf(e.at, x)
		switch {
		case want == "" || len(has) == 0:
		case len(has) == 1 && !has[want]:
			faults = append(faults, fileFault{e: e, found: fmt.Sprintf("made for %s (%s), the image has %s", want, why, other(want)),
				cause: "made for " + want + ", the image has " + other(want)})
		case len(has) == 2 && strings.HasSuffix(e.at, "-"+suffixOf[want]+".so"):
			if libc := im.pythonLibc(); libc != "" && libc != want {
				faults = append(faults, fileFault{e: e, found: fmt.Sprintf("made for %s (%s), the image's Python is made for %s", want, why, libc), cause: "made for " + want + ", the image's Python is made for " + libc})
			}
		}
	})
	return im.oneCause(faults)
}

func other(libc string) string {
	if libc == glibc {
		return musl
	}
	return glibc
}

// libcs are those that the image has the loader of.
func (im *image) libcs() map[string]bool {
	has := map[string]bool{}
	im.native(func(e *entry, _ *ELF) {
		if libc := loaderOf(path.Base(e.at)); libc != "" {
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

// linksIn gives the names in directories that lead to a file.
func (im *image) linksIn(dirs ...string) map[string]bool {
	names := map[string]bool{}
	for _, dir := range dirs {
		if n := im.lookup(dir); n != nil {
			for name, child := range n.children {
				if child.entry != nil && child.entry.Kind == Symlink && im.regular(path.Join(dir, name)) != nil {
					names[name] = true
				}
			}
		}
	}
	return names
}

// loaderOf tells whose dynamic loader has a name.
func loaderOf(name string) string {
	switch {
	case strings.HasPrefix(name, "ld-musl-"):
		return musl
	case strings.HasPrefix(name, "ld-linux"), strings.HasPrefix(name, "ld64.so"):
		return glibc
	}
	return ""
}

// suffixOf is how the names of extension modules end, before ".so".
var suffixOf = map[string]string{glibc: "linux-gnu", musl: "linux-musl"}

// glibcOwn are glibc's libraries. Others, such as libgcc_s, define versions called
// GLIBC_2.0 too.
var glibcOwn = regexp.MustCompile(`^(lib(c|m|dl|rt|util|pthread|resolv)\.so\.[0-9]|ld-linux|ld64\.so)`)

// libcOf tells which C library a file was linked with, and by what that is seen.
func libcOf(at string, x *ELF) (libc, why string) {
	if libc := loaderOf(path.Base(x.Interpreter)); libc != "" {
		return libc, "its loader is " + x.Interpreter
	}
	if x.Interpreter == "" && len(x.Needed) == 0 || loaderOf(path.Base(at)) != "" {
		return "", "" // static, or the loader itself
	}
	for _, r := range x.Requires {
		if strings.HasPrefix(r.Version, "GLIBC_") && glibcOwn.MatchString(r.Library) {
			return glibc, "it needs " + r.Version
		}
	}
	for _, name := range x.Needed {
		switch {
		case name == "libc.so", strings.HasPrefix(name, "libc.musl-"), loaderOf(name) == musl:
			return musl, "it needs " + name
		case name == "libc.so.6", loaderOf(name) == glibc:
			return glibc, "it needs " + name
		}
	}
	for libc, suffix := range suffixOf {
		if strings.HasSuffix(at, "-"+suffix+".so") {
			return libc, "by its name"
		}
	}
	return "", ""
}

// pythonLibc is that of the image's interpreter.
func (im *image) pythonLibc() (libc string) {
	for _, e := range im.nativePythons() {
		libc, _ = libcOf(e.at, e.content().ELF)
	}
	return libc
}
