package rootfs

import (
	"archive/tar"
	"crypto/sha256"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/lucid-project/base-images/internal/supply"
	"github.com/lucid-project/base-images/lucidbase"
)

const (
	docDir  = "usr/share/doc/"
	python  = "usr/bin/python3.11"
	nonroot = 65532
	// The package tini has its program twice; this one is for other C libraries.
	initProgram = "usr/bin/tini"
	staticInit  = "usr/bin/tini-static"
)

// ballast is what no image needs: documentation, translations, desktop files,
// what debuggers, bug reports and package scripts use.
var ballast = []string{
	"usr/bin/pydoc3.11",
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

// leftOut reports whether a layer goes without an entry of a package.
func leftOut(e *entry) bool {
	for _, b := range ballast {
		if e.name == b || strings.HasPrefix(e.name, b+"/") {
			return true
		}
	}
	if locale, ok := strings.CutPrefix(e.name, "usr/lib/locale/"); ok {
		return locale != "C.utf8" && !strings.HasPrefix(locale, "C.utf8/")
	}
	if doc, ok := strings.CutPrefix(e.name, docDir); ok {
		_, file, below := strings.Cut(doc, "/")
		return below && file != "copyright" || !below && e.kind == tar.TypeReg
	}
	// It is listed for its locale, C.UTF-8; its programs are for administrators.
	return e.from == "libc-bin" && e.kind != tar.TypeDir
}

// headersPart matches what a source is compiled against: headers, archives,
// where pkg-config finds both, and the interpreter's own configuration. Shared
// libraries are not among them: a wheel may need none that the image lacks.
var headersPart = regexp.MustCompile(`^usr/(include/.*|lib/[^/]*-linux-gnu/(pkgconfig/.*|[^/]*\.a)|share/pkgconfig/.*|lib/python3\.11/_sysconfigdata_[^/]*\.py)$`)

// compiledAgainst reports whether the layer of headers has a file. Python's own
// archive is for programs that hold an interpreter.
func compiledAgainst(name string) bool {
	return headersPart.MatchString(name) && path.Base(name) != "libpython3.11.a"
}

// assemble makes one tree from packages, whatever their order.
func assemble(kind lucidbase.InputKind, debs []debFile) (tree, error) {
	debs = slices.SortedFunc(slices.Values(debs), func(a, b debFile) int { return strings.Compare(a.name, b.name) })
	t := tree{}
	for _, d := range debs {
		for _, e := range d.entries {
			if leftOut(e) || e.name == staticInit {
				continue
			}
			if kind == supply.Headers {
				if !compiledAgainst(e.name) {
					continue
				}
				// Each package by itself: a source sees those that are named for it.
				e.name = path.Join(e.from, e.name)
			}
			if err := t.add(e); err != nil {
				return nil, err
			}
		}
	}
	switch kind {
	case supply.Rootfs:
		if err := t.finish(debs); err != nil {
			return nil, err
		}
	case supply.Builder:
		t.dropScripts()
	case supply.Headers:
	default:
		return nil, fmt.Errorf("unknown kind of layer %q", kind)
	}
	return t, t.checkLinks()
}

// finish adds what no package ships: on other systems, package scripts and the
// installer make it.
func (t tree) finish(debs []debFile) error {
	bundle, err := t.bundle()
	if err != nil {
		return err
	}
	for _, e := range slices.Concat(t.links(), directories(), users(), bundle) {
		if old := t[e.name]; old != nil && old.kind == tar.TypeDir && e.kind == tar.TypeDir {
			delete(t, e.name)
		}
		if err := t.add(e); err != nil {
			return err
		}
	}
	t.dropScripts()
	for _, d := range debs {
		for _, e := range t.status(d) {
			if err := t.add(e); err != nil {
				return err
			}
		}
	}
	return nil
}

// links gives the links of a merged /usr and of the interpreter, as far as there
// is something that they can lead to.
func (t tree) links() []*entry {
	wanted := append(slices.Clone(moved), []struct{ name, target string }{
		{"usr/bin/python", path.Base(python)},
		{"usr/bin/python3", path.Base(python)},
	}...)
	var out []*entry
	for _, l := range wanted {
		target := l.target
		if !path.IsAbs(target) {
			target = path.Join(path.Dir(l.name), target)
		}
		if t.has(target) {
			out = append(out, &entry{name: l.name, from: us, kind: tar.TypeSymlink, mode: 0o777, target: l.target})
		}
	}
	return out
}

// us stands in errors where a package's name would.
const us = "lucidbase"

// directories are those that base-files makes when it is installed, and the
// user's own.
func directories() []*entry {
	var out []*entry
	dir := func(mode int64, owner int, names ...string) {
		for _, name := range names {
			out = append(out, &entry{name: name, from: us, kind: tar.TypeDir, mode: mode, uid: owner, gid: owner})
		}
	}
	dir(0o755, 0, "media", "mnt", "opt", "srv", "usr/local", "usr/local/bin", "usr/local/lib", "usr/local/share")
	dir(0o1777, 0, "tmp", "var/tmp")
	dir(0o755, nonroot, "app")
	dir(0o700, nonroot, "home/nonroot")
	return out
}

// users gives the accounts and how names are looked up.
func users() []*entry {
	return []*entry{
		file("etc/passwd", "root:x:0:0:root:/root:/sbin/nologin\n"+
			"nobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin\n"+
			"nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n"),
		file("etc/group", "root:x:0:\nstaff:x:50:\nnobody:x:65534:\nnonroot:x:65532:\n"),
		file("etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\nnetworks: files\n"+
			"protocols: files\nservices: files\nethers: files\nrpc: files\n"),
	}
}

// file is one of ours.
func file(name, text string) *entry {
	return &entry{name: name, from: us, kind: tar.TypeReg, mode: 0o644, content: &content{
		data: strings.NewReader(text),
		size: int64(len(text)),
		sum:  sha256.Sum256([]byte(text)),
	}}
}
