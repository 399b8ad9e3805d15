package overlay

import (
	"path"
	"slices"
	"strings"
)

// triplets are Debian's names of architectures (the directories of multiarch),
// CPUs the kernel's (AT_PLATFORM).
var (
	triplets = map[string]string{
		"amd64": "x86_64-linux-gnu", "arm64": "aarch64-linux-gnu", "386": "i386-linux-gnu", "arm": "arm-linux-gnueabihf",
		"ppc64le": "powerpc64le-linux-gnu", "s390x": "s390x-linux-gnu", "riscv64": "riscv64-linux-gnu",
	}
	CPUs = map[string]string{"amd64": "x86_64", "arm64": "aarch64", "386": "i686", "ppc64le": "powerpc64le"}
)

// directories finds out where the image's loader looks for libraries. Debian's
// looks in the directories of multiarch, others' in lib64.
func (l *Loading) directories() {
	im := l.im
	arch := im.Config.Architecture
	l.platform = CPUs[arch]
	if list, ok := im.Env("LD_LIBRARY_PATH"); ok {
		l.environment = firstDirs(strings.FieldsFunc(list, func(r rune) bool { return r == ':' || r == ';' }))
	}
	if has := im.Libcs(); has[Musl] && !has[Glibc] {
		l.libc = Musl
		l.lib = "lib"
		l.defaults = im.muslPath()
		return
	}
	l.libc = Glibc
	triplet := triplets[arch]
	if triplet != "" && (im.Exists("/lib/"+triplet+"/libc.so.6") || im.Exists("/usr/lib/"+triplet+"/libc.so.6")) {
		l.lib = "lib/" + triplet
		l.defaults = []string{"/lib/" + triplet, "/usr/lib/" + triplet, "/lib", "/usr/lib"}
	} else {
		l.lib = "lib64"
		l.defaults = []string{"/lib64", "/usr/lib64", "/lib", "/usr/lib"}
	}
	if e := im.Regular("/etc/ld.so.cache"); e != nil {
		l.cache = e.Layer
		l.cached = im.ldConf("/etc/ld.so.conf", 0)
	}
}

// muslPath is what musl reads of /etc/ld-musl-ARCH.path, or its own list.
func (im *Image) muslPath() []string {
	if etc := im.Lookup("/etc"); etc != nil {
		for name, n := range etc.Children {
			if strings.HasPrefix(name, "ld-musl-") && strings.HasSuffix(name, ".path") && n.Entry != nil {
				return strings.FieldsFunc(n.Entry.Content().Text, func(r rune) bool { return r == ':' || r == '\n' })
			}
		}
	}
	return []string{"/lib", "/usr/local/lib", "/usr/lib"}
}

// ldConf reads ld.so.conf(5): a directory a line, and includes with a pattern.
func (im *Image) ldConf(p string, depth int) []string {
	e := im.Regular(p)
	if e == nil || depth > 4 {
		return nil
	}
	var dirs []string
	for line := range strings.Lines(e.Content().Text) {
		line, _, _ = strings.Cut(line, "#")
		words := strings.Fields(line)
		switch {
		case len(words) == 0 || words[0] == "hwcap":
		case words[0] != "include":
			dirs = append(dirs, words[0])
		default:
			for _, pattern := range words[1:] {
				for _, file := range im.glob(path.Join(path.Dir(p), pattern), pattern) {
					dirs = append(dirs, im.ldConf(file, depth+1)...)
				}
			}
		}
	}
	return dirs
}

// glob returns the files of a pattern that is relative or absolute.
func (im *Image) glob(relative, pattern string) []string {
	if path.IsAbs(pattern) {
		relative = pattern
	}
	dir, base := path.Split(relative)
	n := im.Lookup(dir)
	if n == nil {
		return nil
	}
	var files []string
	for name := range n.Children {
		if ok, err := path.Match(base, name); ok && err == nil {
			files = append(files, path.Join(dir, name))
		}
	}
	slices.Sort(files)
	return files
}

// find looks for a library that o needs, in the order of ld.so(8).
func (l *Loading) find(o *Object, name string) (*Entry, string) {
	if strings.Contains(name, "/") {
		for _, p := range l.expand(name, o) {
			if e := l.fits(l.im.Regular(l.im.Absolute(p)), o); e != nil {
				return e, p
			}
		}
		return nil, ""
	}
	if l.isMusl(o) {
		if e, at := l.in(l.environment, nil, name, o); e != nil {
			return e, at
		}
		for by := o; by != nil; by = by.By {
			if e, at := l.in(slices.Concat(by.Elf.RunPath, by.Elf.RPath), by, name, o); e != nil {
				return e, at
			}
		}
		return l.in(l.defaults, nil, name, o)
	}
	if e, at := l.inRPath(name, o); e != nil {
		return e, at
	}
	if e, at := l.in(l.environment, nil, name, o); e != nil {
		return e, at
	}
	if e, at := l.in(o.Elf.RunPath, o, name, o); e != nil {
		return e, at
	}
	if e, at := l.in(l.cached, nil, name, o); e != nil && e.Layer <= l.cache {
		return e, at
	}
	return l.in(l.defaults, nil, name, o)
}

// inRPath looks in the DT_RPATH of a file, of those that loaded it, and of the
// program. A file's DT_RUNPATH puts all of them out of force.
func (l *Loading) inRPath(name string, o *Object) (*Entry, string) {
	if o.Elf.RunPath != nil {
		return nil, ""
	}
	last := o
	for by := o; by != nil; last, by = by, by.By {
		if by.Elf.RunPath == nil {
			if e, at := l.in(by.Elf.RPath, by, name, o); e != nil {
				return e, at
			}
		}
	}
	if last.Elf.Executable {
		return nil, ""
	}
	for _, e := range l.mains { // the program that loads a module
		main := &Object{Entry: e, Elf: e.Content().ELF, at: e.At}
		if main.Elf.RunPath == nil {
			if found, at := l.in(main.Elf.RPath, main, name, o); found != nil {
				return found, at
			}
		}
	}
	return nil, ""
}

// in looks in directories that of names, which for LD_LIBRARY_PATH and the like is
// nil.
func (l *Loading) in(dirs []string, of *Object, name string, o *Object) (*Entry, string) {
	l.steps += len(dirs)
	for _, dir := range dirs {
		for _, d := range l.expand(dir, of) {
			d = l.im.Absolute(d)
			n, ok := l.nodes[d]
			if !ok {
				n = l.im.Lookup(d)
				l.nodes[d] = n
			}
			if n == nil || n.Children[name] == nil {
				continue
			}
			if at := path.Join(d, name); l.fits(l.im.Regular(at), o) != nil {
				return l.im.Regular(at), at
			}
		}
	}
	return nil, ""
}

// fits returns the file when it is a library of o's machine: loaders skip others.
func (l *Loading) fits(e *Entry, o *Object) *Entry {
	if e == nil || e.Content().ELF == nil || e.Content().ELF.Type != "dyn" || e.Content().ELF.Machine != o.Elf.Machine {
		return nil
	}
	return e
}

// expand replaces ld.so(8)'s tokens. $LIB is "lib" on some systems, else that of
// the distribution.
func (l *Loading) expand(dir string, of *Object) []string {
	if !strings.Contains(dir, "$") {
		return []string{dir}
	}
	origin := "/"
	if of != nil {
		origin = path.Dir(of.at)
	}
	var out []string
	for _, lib := range []string{l.lib, "lib"} {
		r := strings.NewReplacer("${ORIGIN}", origin, "$ORIGIN", origin, "${LIB}", lib, "$LIB", lib,
			"${PLATFORM}", l.platform, "$PLATFORM", l.platform)
		if d := r.Replace(dir); !slices.Contains(out, d) {
			out = append(out, d)
		}
	}
	return out
}
