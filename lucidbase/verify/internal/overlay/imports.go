package overlay

import (
	"path"
	"slices"
	"strings"

	"github.com/lucid-project/base-images/lucidbase/verify/internal/pysource"
	"github.com/lucid-project/base-images/lucidbase/verify/internal/scan"
)

// Importer answers what one interpreter of an image imports by a name (The import
// system, The Python Language Reference, 5).
type Importer struct {
	im *Image
	// path is sys.path.
	path []string
	// blind is set where Python can import what an image does not show: nothing is
	// said to be missing then.
	blind bool
	// whole is set where the path has the files of the standard library.
	whole   bool
	modules map[string]*Imported
	// extensions are the extension modules of each directory.
	extensions map[*Node]map[string]*Entry
	// looks counts the directories that were looked into.
	looks int
}

// What a hostile image can ask for; real ones stay far below.
const (
	maxImportLooks = 3_000_000
	maxDotted      = 1000 // bytes of a full name
)

// Imported is a module or package.
type Imported struct {
	// Name is the full one, Package that of the package that its relative imports
	// start from.
	Name, Package string
	// File is nil for a namespace package, and for what has no file.
	File *Entry
	// Source is set for the application's own modules that can be read.
	Source *pysource.Module
	// dirs are where a package has its submodules.
	dirs []string
	// open is set where there can be submodules without a file.
	open bool
}

// IsPackage reports whether there can be submodules.
func (m *Imported) IsPackage() bool { return m.dirs != nil || m.open }

// Has reports whether a name is, or can be, an attribute of the module.
func (m *Imported) Has(attribute string) bool {
	s := m.Source
	if s == nil { // what is in a namespace package are its submodules
		return m.File != nil || m.open
	}
	_, found := slices.BinarySearch(s.Names, attribute)
	return found || s.Dynamic || strings.HasPrefix(attribute, "__")
}

// NewImporter makes the importer of an interpreter, by the path that it is started
// by. first are the directories that a program puts before all others; isolated leaves
// out PYTHONPATH.
func (im *Image) NewImporter(interpreter string, first []string, isolated bool) *Importer {
	p := &Importer{im: im, modules: map[string]*Imported{}, extensions: map[*Node]map[string]*Entry{}}
	env := im.environmentOf(interpreter)
	home, _ := im.Env("PYTHONHOME")
	if env == nil || home != "" || len(env.Path) >= maxSites {
		p.blind = true
		return p
	}
	for _, dir := range first {
		p.add(dir)
	}
	if list, ok := im.Env("PYTHONPATH"); ok && list != "" && !isolated {
		dirs := strings.Split(list, ":")
		p.blind = len(dirs) > maxDirs
		for _, dir := range firstDirs(dirs) {
			p.add(dir)
		}
	}
	own := slices.Clone(p.path)
	p.addStandard(env, interpreter)
	for _, dir := range env.Path {
		if !slices.Contains(own, dir) && !env.Chosen[dir] {
			own = append(own, dir)
			p.site(dir)
		}
	}
	for _, dir := range own {
		for _, custom := range []string{"sitecustomize", "usercustomize"} {
			p.blind = p.blind || p.find(dir, custom, custom) != nil
		}
	}
	return p
}

// environmentOf returns the environment of an interpreter: a virtual one is known by
// the path that the program is started by, another by where its links lead.
func (im *Image) environmentOf(interpreter string) *Environment {
	at, n := im.Follow(interpreter)
	m := PythonProgram.FindStringSubmatch(path.Base(at))
	if n == nil || m != nil && strings.HasSuffix(at, "t") { // free-threaded: other directories
		return nil
	}
	virtual := path.Dir(path.Dir(im.Place(interpreter)))
	if !im.Exists(path.Join(virtual, "pyvenv.cfg")) {
		virtual = ""
	}
	var fits []*Environment
	for _, env := range im.Sites().Environments {
		switch {
		case m != nil && m[1] != env.minor:
		case virtual != "" && !env.system && env.prefix == virtual, virtual == "" && env.system && env.prefix == path.Dir(path.Dir(at)):
			fits = append(fits, env)
		}
	}
	if len(fits) != 1 {
		return nil
	}
	return fits[0]
}

// add adds a directory that holds an application's modules.
func (p *Importer) add(dir string) {
	dir = p.im.Absolute(dir)
	at, n := p.im.Follow(dir)
	switch {
	case p.im.IsMounted(dir) || p.im.IsMounted(at):
		p.blind = true
	case n != nil && n.Entry != nil && n.Entry.Kind != scan.Directory:
		p.blind = true // an archive
	case n != nil && !slices.Contains(p.path, at):
		p.path = append(p.path, at)
	}
}

// addStandard adds the standard library.
func (p *Importer) addStandard(env *Environment, interpreter string) {
	at, _ := p.im.Follow(interpreter)
	prefixes := []string{env.prefix, path.Dir(path.Dir(at))}
	if cfg := p.im.Regular(path.Join(env.prefix, "pyvenv.cfg")); cfg != nil {
		home, _ := p.im.Follow(p.im.Absolute(VenvConfig(cfg)["home"]))
		prefixes = append(prefixes, path.Dir(home))
	}
	for _, prefix := range prefixes {
		p.blind = p.blind || p.im.Exists(path.Join(prefix, "lib", "python"+strings.ReplaceAll(env.minor, ".", "")+".zip"))
		for _, lib := range []string{"lib", "lib64"} {
			for _, dir := range []string{"python" + env.minor, "python" + env.minor + "/lib-dynload"} {
				if at, n := p.im.Follow(path.Join(prefix, lib, dir)); n != nil && !slices.Contains(p.path, at) {
					p.path = append(p.path, at)
					p.whole = p.whole || n.Children["encodings"] != nil
				}
			}
		}
	}
}

// harmless are .pth files whose code makes nothing importable that has no file.
var harmless = []string{"distutils-precedence.pth", "_virtualenv.pth", "coloredlogs.pth", "a1_coverage.pth", "pytest-cov.pth", "init_cov_core.pth"}

// site adds a directory of installed distributions.
func (p *Importer) site(dir string) {
	n := p.im.Lookup(dir)
	if n == nil {
		return
	}
	p.path = append(p.path, dir)
	for name := range n.Children {
		if path.Ext(name) != ".pth" || slices.Contains(harmless, name) || strings.HasSuffix(name, "-nspkg.pth") {
			continue
		}
		e := p.im.Regular(path.Join(dir, name))
		if e == nil {
			continue
		}
		text := e.Content().Text
		p.blind = p.blind || text == "" && e.Content().Size > 0
		for line := range strings.Lines(text) {
			p.blind = p.blind || strings.HasPrefix(line, "import ") || strings.HasPrefix(line, "import\t")
		}
	}
}

// Blind reports whether nothing can be said to be missing.
func (p *Importer) Blind() bool { return p.blind }

// Import returns the module of a dotted name and the packages that it is in, the
// outermost first. missing is the name of the first that is not there; what can be
// there without a file counts as there, and ends the list.
func (p *Importer) Import(name string) (chain []*Imported, missing string) {
	if len(name) > maxDotted {
		return nil, ""
	}
	var parent *Imported
	for part := range strings.SplitSeq(name, ".") {
		m := p.child(parent, part)
		if m == nil && (p.blind || parent != nil && parent.open) {
			return chain, ""
		}
		if m == nil {
			return chain, join(parent, part)
		}
		chain, parent = append(chain, m), m
	}
	return chain, ""
}

func join(parent *Imported, name string) string {
	if parent == nil {
		return name
	}
	return parent.Name + "." + name
}

// child returns a module by its name in a package, nil for the top level.
func (p *Importer) child(parent *Imported, name string) *Imported {
	full := join(parent, name)
	if m, ok := p.modules[full]; ok {
		return m
	}
	dirs := p.path
	if parent != nil {
		dirs = parent.dirs
	}
	m := p.search(dirs, name, full)
	if m != nil && parent == nil && standard[name] {
		// The standard library's, or one that hides it, unless Python has that already.
		m = &Imported{Name: full, File: m.File, dirs: m.dirs, open: m.open || m.Source != nil}
	}
	if m == nil && parent == nil && p.builtin(name) {
		m = &Imported{Name: full, open: true}
	}
	p.modules[full] = m
	return m
}

// search looks for a module in several directories: a file in any of them counts before
// the directories that a namespace package is made of (PEP 420).
func (p *Importer) search(dirs []string, name, full string) *Imported {
	var portions []string
	for _, dir := range dirs {
		if p.looks++; p.looks > maxImportLooks {
			p.blind = true
			return nil
		}
		if m := p.find(dir, name, full); m != nil {
			return m
		}
		if at, n := p.im.Follow(path.Join(dir, name)); n != nil && (n.Entry == nil || n.Entry.Kind == scan.Directory) {
			portions = append(portions, at)
		}
	}
	if portions == nil {
		return nil
	}
	m := &Imported{Name: full, Package: full, dirs: portions}
	m.open = slices.ContainsFunc(portions, p.im.IsMounted)
	return m
}

// find looks for a module with a file in one directory.
func (p *Importer) find(dir, name, full string) *Imported {
	n := p.im.Lookup(dir)
	if n == nil || name == "" || strings.Contains(name, "/") {
		return nil
	}
	if inner := path.Join(dir, name); n.Children[name] != nil {
		at, _ := p.im.Follow(inner)
		if e, source := p.file(at, "__init__"); e != nil {
			return p.loaded(&Imported{Name: full, Package: full, File: e, dirs: []string{at}, open: !source || p.im.IsMounted(at)})
		}
	}
	e, source := p.file(dir, name)
	if e == nil {
		return nil
	}
	parent, _, dotted := cutLast(full)
	if !dotted {
		parent = ""
	}
	return p.loaded(&Imported{Name: full, Package: parent, File: e, open: !source})
}

func cutLast(s string) (before, after string, found bool) {
	i := strings.LastIndex(s, ".")
	if i < 0 {
		return "", s, false
	}
	return s[:i], s[i+1:], true
}

// file returns a module's file in a directory, and whether it is a source.
func (p *Importer) file(dir, name string) (e *Entry, source bool) {
	n := p.im.Lookup(dir)
	if n == nil {
		return nil, false
	}
	stems, ok := p.extensions[n]
	if !ok {
		stems = map[string]*Entry{}
		for child := range n.Children {
			if path.Ext(child) == ".so" {
				stem, _, _ := strings.Cut(child, ".")
				stems[stem] = p.im.Regular(path.Join(dir, child))
			}
		}
		p.extensions[n] = stems
	}
	if e = stems[name]; e != nil {
		return e, false
	}
	if e = p.im.Regular(path.Join(dir, name+".py")); e != nil {
		return e, true
	}
	return p.im.Regular(path.Join(dir, name+".pyc")), false
}

// loaded adds to a module what is known of its source.
func (p *Importer) loaded(m *Imported) *Imported {
	s := m.File.Content().Module
	application := s != nil && !s.Unread && p.im.Records().Owner[m.File.At] == nil
	if s != nil && (s.Hooked || s.Unread) {
		m.open = true
	}
	if application {
		m.Source = s
	} else if m.dirs == nil {
		m.open = true // some put modules of no file below themselves, as os and six do
	}
	return m
}

// Script returns the module that a file is when it is started by its path; nil for
// what cannot be read.
func Script(e *Entry) *Imported {
	if e == nil || e.Content().Module == nil || e.Content().Module.Unread {
		return nil
	}
	return &Imported{Name: "__main__", File: e, Source: e.Content().Module}
}

// IsStandard reports whether a module is one of the standard library.
func IsStandard(name string) bool { return standard[name] }

// builtin reports whether a module needs no file: one of the standard library that an
// interpreter can have inside, or any of it where its files are not to be seen.
func (p *Importer) builtin(name string) bool {
	if name == "distutils" && slices.ContainsFunc(p.path, func(dir string) bool { return p.im.Exists(path.Join(dir, "distutils-precedence.pth")) }) {
		return true
	}
	return name == "__main__" || inside[name] || strings.HasPrefix(name, "_") && standard[name] || standard[name] && !p.whole
}

func words(s string) map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(s) {
		set[w] = true
	}
	return set
}

// inside are those modules of the standard library that are written in C: a build of
// CPython can have them in the interpreter (Modules/Setup).
var inside = words(`array atexit audioop binascii builtins cmath errno faulthandler fcntl gc grp itertools marshal math mmap nis ossaudiodev
parser posix pwd pyexpat readline resource select spwd sys syslog termios time unicodedata xxlimited xxsubtype zipimport zlib`)

// standard are the modules of the standard library, of CPython 3.10 to 3.13 together
// (sys.stdlib_module_names).
var standard = words(`__future__ _abc _aix_support _android_support _ast _asyncio _bisect _blake2 _bootsubprocess _bz2 _codecs _codecs_cn _codecs_hk _codecs_iso2022
_codecs_jp _codecs_kr _codecs_tw _collections _collections_abc _colorize _compat_pickle _compression _contextvars _crypt _csv _ctypes _curses
_curses_panel _datetime _dbm _decimal _elementtree _frozen_importlib _frozen_importlib_external _functools _gdbm _hashlib _heapq _imp _interpchannels
_interpqueues _interpreters _io _ios_support _json _locale _lsprof _lzma _markupbase _md5 _msi _multibytecodec _multiprocessing _opcode
_opcode_metadata _operator _osx_support _overlapped _pickle _posixshmem _posixsubprocess _py_abc _pydatetime _pydecimal _pyio _pylong _pyrepl _queue
_random _scproxy _sha1 _sha2 _sha256 _sha3 _sha512 _signal _sitebuiltins _socket _sqlite3 _sre _ssl _stat _statistics _string _strptime _struct
_suggestions _symtable _sysconfig _thread _threading_local _tkinter _tokenize _tracemalloc _typing _uuid _warnings _weakref _weakrefset _winapi _wmi
_zoneinfo abc aifc antigravity argparse array ast asynchat asyncio asyncore atexit audioop base64 bdb binascii binhex bisect builtins bz2 cProfile
calendar cgi cgitb chunk cmath cmd code codecs codeop collections colorsys compileall concurrent configparser contextlib contextvars copy copyreg
crypt csv ctypes curses dataclasses datetime dbm decimal difflib dis distutils doctest email encodings ensurepip enum errno faulthandler fcntl
filecmp fileinput fnmatch fractions ftplib functools gc genericpath getopt getpass gettext glob graphlib grp gzip hashlib heapq hmac html http
idlelib imaplib imghdr imp importlib inspect io ipaddress itertools json keyword lib2to3 linecache locale logging lzma mailbox mailcap marshal math
mimetypes mmap modulefinder msilib msvcrt multiprocessing netrc nis nntplib nt ntpath nturl2path numbers opcode operator optparse os ossaudiodev
pathlib pdb pickle pickletools pipes pkgutil platform plistlib poplib posix posixpath pprint profile pstats pty pwd py_compile pyclbr pydoc
pydoc_data pyexpat queue quopri random re readline reprlib resource rlcompleter runpy sched secrets select selectors shelve shlex shutil signal site
smtpd smtplib sndhdr socket socketserver spwd sqlite3 sre_compile sre_constants sre_parse ssl stat statistics string stringprep struct subprocess
sunau symtable sys sysconfig syslog tabnanny tarfile telnetlib tempfile termios textwrap this threading time timeit tkinter token tokenize tomllib
trace traceback tracemalloc tty turtle turtledemo types typing unicodedata unittest urllib uu uuid venv warnings wave weakref webbrowser winreg
winsound wsgiref xdrlib xml xmlrpc zipapp zipfile zipimport zlib zoneinfo`)
