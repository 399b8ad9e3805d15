package overlay

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/lucid-project/base-images/lucidbase/verify/internal/elf"
)

// Loading is what the dynamic loader would do with each program and library of
// an image, as ld.so(8) and musl's ldso/dynlink.c say.
type Loading struct {
	im   *Image
	libc string // of the directories
	// environment are the directories of LD_LIBRARY_PATH, cached those of ld.so.conf,
	// defaults the loader's own.
	environment, cached, defaults []string
	// cache is the layer of /etc/ld.so.cache, -1 for none: what a later layer has in
	// a directory of ld.so.conf is not in it.
	cache int
	// lib and platform are $LIB and $PLATFORM.
	lib, platform string
	nodes         map[string]*Node
	ByName        map[string][]*Entry
	// own are the image's loaders; foreign has a machine of which a library is there.
	own     []*Object
	Foreign map[string]string
	// mains are the image's Python interpreters.
	mains []*Entry
	// preloaded is what the image's Python has loaded when it loads a module.
	preloaded map[string]*Object
	done      map[*Entry]bool
	provided  map[*elf.File]map[string]bool
	// damaged are the names of libraries that are none.
	damaged map[string]bool
	Missing []Missing
	Lacking []LackingVersion
	seen    map[fault]bool
	// steps counts what was followed; beyond maxSteps nothing is, and left is the
	// first file that was not judged.
	steps int
	Left  *Entry
}

// maxSteps is twenty times what a desktop's 5,000 programs need, and takes seconds:
// in a hostile image every library can need every other.
const maxSteps = 50_000_000

// fault is a finding about a file: several programs can load it.
type fault struct {
	e    *Entry
	name string
}

func (l *Loading) isNew(o *Object, name string) bool {
	f := fault{o.Entry, name}
	known := l.seen[f]
	l.seen[f] = true
	return !known
}

// Object is a loaded file.
type Object struct {
	*Entry
	Elf *elf.File
	// at is the path by which it was found, for $ORIGIN.
	at string
	By *Object
}

// Missing is a library that is not found.
type Missing struct {
	Of   *Object
	Name string
}

// LackingVersion is a symbol version that a library does not have.
type LackingVersion struct {
	Of, Library *Object
	Version     string
}

// Loading returns the image's loading, made on first use.
func (im *Image) Loading() *Loading {
	if im.works.loading != nil {
		return im.works.loading
	}
	l := &Loading{im: im, cache: -1, mains: im.nativePythons(), nodes: map[string]*Node{}, ByName: map[string][]*Entry{}, done: map[*Entry]bool{},
		provided: map[*elf.File]map[string]bool{}, seen: map[fault]bool{}, Foreign: map[string]string{}}
	im.works.loading = l
	l.directories()
	var programs, roots, others []*Entry
	needed := map[string]bool{}
	im.Loadable(func(e *Entry, x *elf.File) {
		if x.Machine != Machines[im.Config.Architecture] {
			l.Foreign[path.Base(e.At)], l.Foreign[x.Soname] = x.Machine, x.Machine
			return
		}
		l.name(e, x)
		for _, name := range x.Needed {
			needed[name] = true
		}
	})
	im.Native(func(e *Entry, x *elf.File) {
		switch {
		case x.Executable && x.Soname == "":
			programs = append(programs, e)
		case needed[x.Soname] || needed[path.Base(e.At)]:
			others = append(others, e)
		default:
			roots = append(roots, e)
		}
	})
	for name, entries := range l.ByName {
		if loaderOf(name) != "" {
			l.own = append(l.own, &Object{Entry: entries[0], Elf: entries[0].Content().ELF, at: path.Join("/", name)})
		}
	}
	for _, e := range programs {
		l.run(e, nil)
	}
	l.preloaded = map[string]*Object{}
	for _, e := range l.mains {
		for name, o := range l.run(e, nil) {
			l.preloaded[name] = o
		}
	}
	// What others load is judged as they load it, the rest by itself.
	for _, e := range slices.Concat(roots, others) {
		if !l.done[e] {
			l.run(e, l.preloaded)
		}
	}
	return l
}

func (l *Loading) name(e *Entry, x *elf.File) {
	base := path.Base(e.At)
	l.ByName[base] = append(l.ByName[base], e)
	if x.Soname != "" && x.Soname != base {
		l.ByName[x.Soname] = append(l.ByName[x.Soname], e)
	}
}

// run loads a file and all that it needs, breadth first as loaders do, and returns
// what is loaded by name. before is what the process already has.
func (l *Loading) run(root *Entry, before map[string]*Object) map[string]*Object {
	if l.steps > maxSteps {
		if l.Left == nil {
			l.Left = root
		}
		return nil
	}
	first := &Object{Entry: root, Elf: root.Content().ELF, at: root.At}
	names := map[string]*Object{}
	for name, o := range before {
		names[name] = o
	}
	for _, loader := range l.loaders(first.Elf) {
		names[path.Base(loader.at)] = loader
	}
	names[first.Elf.Soname] = first
	objects := map[*Entry]*Object{root: first}
	queue := []*Object{first}
	l.steps += len(names)
	for i := 0; i < len(queue); i++ {
		if l.steps > maxSteps {
			l.Left = root
			return nil
		}
		o := queue[i]
		l.done[o.Entry] = true
		l.steps += 1 + len(o.Elf.Needed) + len(o.Elf.Requires)
		for _, name := range o.Elf.Needed {
			if names[name] != nil || l.always(name, first) {
				continue
			}
			e, at := l.find(o, name)
			if e == nil {
				if (root.Content().ELF.Executable || !l.near(root, name)) && !l.isDamaged(name) && l.isNew(o, name) {
					l.Missing = append(l.Missing, Missing{o, name})
				}
				continue
			}
			if objects[e] == nil {
				objects[e] = &Object{Entry: e, Elf: e.Content().ELF, at: at, By: o}
				queue = append(queue, objects[e])
			}
			names[name] = objects[e]
			if soname := objects[e].Elf.Soname; soname != "" && names[soname] == nil {
				names[soname] = objects[e]
			}
		}
	}
	l.versions(queue, names)
	return names
}

// versions compares what each object needs with what the libraries define. One
// that defines none gets a warning of the loader alone, and GLIBC_PRIVATE binds
// the parts of one glibc, which its packages keep together.
func (l *Loading) versions(objects []*Object, names map[string]*Object) {
	for _, o := range objects {
		for _, r := range o.Elf.Requires {
			library := names[r.Library]
			if library == nil || len(library.Elf.Provides) == 0 || r.Version == "GLIBC_PRIVATE" {
				continue
			}
			if !l.provides(library.Elf)[r.Version] && l.isNew(o, r.Library+" "+r.Version) {
				l.Lacking = append(l.Lacking, LackingVersion{o, library, r.Version})
			}
		}
	}
}

func (l *Loading) provides(x *elf.File) map[string]bool {
	if l.provided[x] == nil {
		l.provided[x] = make(map[string]bool, len(x.Provides))
		for _, v := range x.Provides {
			l.provided[x][v] = true
		}
	}
	return l.provided[x]
}

// loaders are in every process: the program's own, or for a library the image's.
func (l *Loading) loaders(x *elf.File) []*Object {
	var loaders []*Object
	if x.Interpreter != "" {
		if e := l.im.Regular(l.im.Absolute(x.Interpreter)); e != nil && e.Content().ELF != nil {
			loaders = append(loaders, &Object{Entry: e, Elf: e.Content().ELF, at: x.Interpreter})
		}
		return loaders
	}
	return l.own
}

// muslOwn are the libraries that musl is itself (load_library in dynlink.c).
var muslOwn = regexp.MustCompile(`^lib(c|pthread|rt|m|dl|util|xnet)\.`)

// hostDriver are the libraries that the NVIDIA container runtime mounts: they
// belong to the host's kernel module.
var hostDriver = regexp.MustCompile(`^lib(cuda|nvcuvid|nvoptix|nvidia-[a-z0-9-]+)\.so\.1$`)

func (l *Loading) always(name string, root *Object) bool {
	switch {
	case name == "linux-vdso.so.1" || hostDriver.MatchString(name):
		return true
	case l.isMusl(root):
		return muslOwn.MatchString(name) || loaderOf(name) == Musl
	}
	return false
}

func (l *Loading) isMusl(o *Object) bool {
	for ; o.By != nil; o = o.By {
	}
	if libc := loaderOf(path.Base(o.Elf.Interpreter)); libc != "" {
		return libc == Musl
	}
	return l.libc == Musl
}

// isDamaged reports whether a library is there and is none: it has a finding of its own.
func (l *Loading) isDamaged(name string) bool {
	if l.damaged == nil {
		l.damaged = map[string]bool{}
		l.im.Visible(func(e *Entry) {
			if c := e.Content(); isLibraryName(e.At) && (c.ELF == nil || c.ELF.Type != "dyn") {
				if found, _ := l.im.Damaged(e); found != "" {
					l.damaged[path.Base(e.At)] = true
				}
			}
		})
	}
	return l.damaged[name] && l.ByName[name] == nil
}

// near reports whether a library's own package has what it needs, so that its code
// can load that first (ctypes, a launcher such as Java's): it lies below the
// package's directory.
func (l *Loading) near(root *Entry, name string) bool {
	dir := packageDir(root.At)
	l.steps += len(l.ByName[name])
	for _, e := range l.ByName[name] {
		if dir != "" && strings.HasPrefix(e.At, dir) {
			return true
		}
	}
	return false
}

// packageDir is the start of the paths of a library's package: in site-packages
// the top directory, which "numpy.libs" starts with as well, elsewhere its own
// directory unless that is the system's.
func packageDir(at string) string {
	for _, site := range []string{"/site-packages/", "/dist-packages/"} {
		if i := strings.LastIndex(at, site); i >= 0 {
			top, _, inside := strings.Cut(at[i+len(site):], "/")
			if !inside {
				return ""
			}
			return at[:i+len(site)] + strings.TrimSuffix(top, ".libs")
		}
	}
	dir := path.Dir(at)
	if strings.Count(dir, "/") < 3 || strings.HasSuffix(dir, "-linux-gnu") || strings.HasSuffix(path.Dir(dir), "/usr") {
		return ""
	}
	return dir + "/"
}
