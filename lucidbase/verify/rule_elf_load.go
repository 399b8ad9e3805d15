package verify

import (
	"path"
	"regexp"
	"slices"
	"strings"
)

// loading is what the dynamic loader would do with each program and library of
// an image, as ld.so(8) and musl's ldso/dynlink.c say.
type loading struct {
	im   *image
	libc string // of the directories
	// environment are the directories of LD_LIBRARY_PATH, cached those of ld.so.conf,
	// defaults the loader's own.
	environment, cached, defaults []string
	// cache is the layer of /etc/ld.so.cache, -1 for none: what a later layer has in
	// a directory of ld.so.conf is not in it.
	cache int
	// lib and platform are $LIB and $PLATFORM.
	lib, platform string
	nodes         map[string]*node
	byName        map[string][]*entry
	// own are the image's loaders; foreign has a machine of which a library is there.
	own     []*object
	foreign map[string]string
	// mains are the image's Python interpreters.
	mains []*entry
	// preloaded is what the image's Python has loaded when it loads a module.
	preloaded map[string]*object
	done      map[*entry]bool
	provided  map[*ELF]map[string]bool
	// damaged are the names of libraries that are none.
	damaged map[string]bool
	missing []missing
	lacking []lackingVersion
	seen    map[fault]bool
	// steps counts what was followed; beyond maxSteps nothing is, and left is the
	// first file that was not judged.
	steps int
	left  *entry
}

// maxSteps is twenty times what a desktop's 5,000 programs need, and takes seconds:
// in a hostile image every library can need every other.
const maxSteps = 50_000_000

// fault is a finding about a file: several programs can load it.
type fault struct {
	e    *entry
	name string
}

func (l *loading) isNew(o *object, name string) bool {
	f := fault{o.entry, name}
	known := l.seen[f]
	l.seen[f] = true
	return !known
}

// object is a loaded file.
type object struct {
	*entry
	elf *ELF
	// at is the path by which it was found, for $ORIGIN.
	at string
	by *object
}

// missing is a library that is not found.
type missing struct {
	of   *object
	name string
}

// lackingVersion is a symbol version that a library does not have.
type lackingVersion struct {
	of, library *object
	version     string
}

// load gives the image's loading, made on first use.
func (im *image) load() *loading {
	if im.works.loading != nil {
		return im.works.loading
	}
	l := &loading{im: im, cache: -1, mains: im.nativePythons(), nodes: map[string]*node{}, byName: map[string][]*entry{}, done: map[*entry]bool{},
		provided: map[*ELF]map[string]bool{}, seen: map[fault]bool{}, foreign: map[string]string{}}
	im.works.loading = l
	l.directories()
	var programs, roots, others []*entry
	needed := map[string]bool{}
	im.loadable(func(e *entry, x *ELF) {
		if x.Machine != machines[im.config.Architecture] {
			l.foreign[path.Base(e.at)], l.foreign[x.Soname] = x.Machine, x.Machine
			return
		}
		l.name(e, x)
		for _, name := range x.Needed {
			needed[name] = true
		}
	})
	im.native(func(e *entry, x *ELF) {
		switch {
		case x.Executable && x.Soname == "":
			programs = append(programs, e)
		case needed[x.Soname] || needed[path.Base(e.at)]:
			others = append(others, e)
		default:
			roots = append(roots, e)
		}
	})
	for name, entries := range l.byName {
		if loaderOf(name) != "" {
			l.own = append(l.own, &object{entry: entries[0], elf: entries[0].content().ELF, at: path.Join("/", name)})
		}
	}
	for _, e := range programs {
		l.run(e, nil)
	}
	l.preloaded = map[string]*object{}
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

func (l *loading) name(e *entry, x *ELF) {
	base := path.Base(e.at)
	l.byName[base] = append(l.byName[base], e)
	if x.Soname != "" && x.Soname != base {
		l.byName[x.Soname] = append(l.byName[x.Soname], e)
	}
}

// run loads a file and all that it needs, breadth first as loaders do, and gives
// what is loaded by name. before is what the process already has.
func (l *loading) run(root *entry, before map[string]*object) map[string]*object {
	if l.steps > maxSteps {
		if l.left == nil {
			l.left = root
		}
		return nil
	}
	first := &object{entry: root, elf: root.content().ELF, at: root.at}
	names := map[string]*object{}
	for name, o := range before {
		names[name] = o
	}
	for _, loader := range l.loaders(first.elf) {
		names[path.Base(loader.at)] = loader
	}
	names[first.elf.Soname] = first
	objects := map[*entry]*object{root: first}
	queue := []*object{first}
	l.steps += len(names)
	for i := 0; i < len(queue); i++ {
		if l.steps > maxSteps {
			l.left = root
			return nil
		}
		o := queue[i]
		l.done[o.entry] = true
		l.steps += 1 + len(o.elf.Needed) + len(o.elf.Requires)
		for _, name := range o.elf.Needed {
			if names[name] != nil || l.always(name, first) {
				continue
			}
			e, at := l.find(o, name)
			if e == nil {
				if (root.content().ELF.Executable || !l.near(root, name)) && !l.isDamaged(name) && l.isNew(o, name) {
					l.missing = append(l.missing, missing{o, name})
				}
				continue
			}
			if objects[e] == nil {
				objects[e] = &object{entry: e, elf: e.content().ELF, at: at, by: o}
				queue = append(queue, objects[e])
			}
			names[name] = objects[e]
			if soname := objects[e].elf.Soname; soname != "" && names[soname] == nil {
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
func (l *loading) versions(objects []*object, names map[string]*object) {
	for _, o := range objects {
		for _, r := range o.elf.Requires {
			library := names[r.Library]
			if library == nil || len(library.elf.Provides) == 0 || r.Version == "GLIBC_PRIVATE" {
				continue
			}
			if !l.provides(library.elf)[r.Version] && l.isNew(o, r.Library+" "+r.Version) {
				l.lacking = append(l.lacking, lackingVersion{o, library, r.Version})
			}
		}
	}
}

func (l *loading) provides(x *ELF) map[string]bool {
	if l.provided[x] == nil {
		l.provided[x] = make(map[string]bool, len(x.Provides))
		for _, v := range x.Provides {
			l.provided[x][v] = true
		}
	}
	return l.provided[x]
}

// loaders are in every process: the program's own, or for a library the image's.
func (l *loading) loaders(x *ELF) []*object {
	var loaders []*object
	if x.Interpreter != "" {
		if e := l.im.regular(l.im.absolute(x.Interpreter)); e != nil && e.content().ELF != nil {
			loaders = append(loaders, &object{entry: e, elf: e.content().ELF, at: x.Interpreter})
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

func (l *loading) always(name string, root *object) bool {
	switch {
	case name == "linux-vdso.so.1" || hostDriver.MatchString(name):
		return true
	case l.isMusl(root):
		return muslOwn.MatchString(name) || loaderOf(name) == musl
	}
	return false
}

func (l *loading) isMusl(o *object) bool {
	for ; o.by != nil; o = o.by {
	}
	if libc := loaderOf(path.Base(o.elf.Interpreter)); libc != "" {
		return libc == musl
	}
	return l.libc == musl
}

// isDamaged tells a library that is there and is none: it has a finding of its own.
func (l *loading) isDamaged(name string) bool {
	if l.damaged == nil {
		l.damaged = map[string]bool{}
		l.im.visible(func(e *entry) {
			if c := e.content(); isLibraryName(e.at) && (c.ELF == nil || c.ELF.Type != "dyn") {
				if found, _ := l.im.damaged(e); found != "" {
					l.damaged[path.Base(e.at)] = true
				}
			}
		})
	}
	return l.damaged[name] && l.byName[name] == nil
}

// near tells whether a library's own package has what it needs, so that its code
// can load that first (ctypes, a launcher such as Java's): it lies below the
// package's directory.
func (l *loading) near(root *entry, name string) bool {
	dir := packageDir(root.at)
	l.steps += len(l.byName[name])
	for _, e := range l.byName[name] {
		if dir != "" && strings.HasPrefix(e.at, dir) {
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
