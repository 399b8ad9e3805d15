package rootfs

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"io"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/lock"
)

// rootfs gives the file system of a base: the image's closure, Debian's packages
// for what the image lacks, and what every base has of us. It names the packages
// of the image that the closure has files of.
func (m *Images) rootfs(ctx context.Context, up *upstream, packages []lock.Package, suites []lock.Suite) (tree, []lock.ApkPackage, error) {
	c, err := newClosure(up.files, up.platform.Architecture)
	if err == nil {
		err = c.compute()
	}
	if err == nil {
		err = c.checkRelease()
	}
	if err != nil {
		return nil, nil, err
	}
	t := c.kept
	kept, err := c.packageList()
	if err != nil {
		return nil, nil, err
	}
	in := lucidbase.Input{Platform: up.platform, Layer: lock.Layer{Packages: packages}, Suites: suites}
	debs, err := m.Archives.unpack(ctx, in, up.files.spool)
	if err != nil {
		return nil, nil, err
	}
	if err := t.borrow(debs); err != nil {
		return nil, nil, err
	}
	init := &entry{name: initProgram, from: us, kind: tar.TypeSymlink, mode: 0o777, target: path.Base(staticInit)}
	if err := t.ours(slices.Concat(directories(), imageDirectories(), users(), []*entry{init})); err != nil {
		return nil, nil, err
	}
	t.dropScripts()
	return t, kept, t.checkLinks()
}

// packageList writes the database of the packages that something is kept of.
func (c *closure) packageList() ([]lock.ApkPackage, error) {
	var entries []*apkPackage
	var names []lock.ApkPackage
	for _, p := range c.packages {
		own := p.only(func(name string) bool { return c.kept[name] != nil && !replaced(name) })
		if own == nil {
			continue
		}
		entries = append(entries, own)
		names = append(names, p.ApkPackage)
	}
	slices.SortFunc(names, func(a, b lock.ApkPackage) int { return strings.Compare(a.Name, b.Name) })
	list := file(c.database, formatApk(entries))
	return names, c.kept.add(list)
}

// replaced reports what is ours in every base, whatever the image has there.
func replaced(name string) bool {
	return slices.ContainsFunc(users(), func(e *entry) bool { return e.name == name })
}

// ours puts our own entries in place, over what the image has.
func (t tree) ours(entries []*entry) error {
	for _, e := range entries {
		if old := t[e.name]; old != nil && (old.kind == e.kind || replaced(e.name)) {
			delete(t, e.name)
		}
		if err := t.add(e); err != nil {
			return err
		}
	}
	return nil
}

// borrow adds of Debian packages what needs no C library, with what scanners read
// of them.
func (t tree) borrow(debs []debFile) error {
	for _, d := range debs {
		for _, e := range d.entries {
			wanted := e.name == staticInit || strings.HasPrefix(e.name, zoneDir) || strings.HasPrefix(e.name, docDir)
			if !wanted || leftOut(e) {
				continue
			}
			if err := t.add(e); err != nil {
				return err
			}
		}
		for _, e := range t.status(d) {
			if err := t.add(e); err != nil {
				return err
			}
		}
	}
	return nil
}

// imageDirectories are those of Alpine's base layout that programs count on.
func imageDirectories() []*entry {
	var out []*entry
	for _, name := range []string{"dev", "home", "proc", "run", "sys", "usr/bin", "var/cache", "var/lib", "var/log"} {
		out = append(out, &entry{name: name, from: us, kind: tar.TypeDir, mode: 0o755})
	}
	return append(out, &entry{name: "root", from: us, kind: tar.TypeDir, mode: 0o700})
}

var alpineID = regexp.MustCompile(`(?m)^ID="?alpine"?$`)

// checkRelease refuses an image of another distribution, whose library packages
// would not be in the database.
func (c *closure) checkRelease() error {
	data, err := io.ReadAll(io.LimitReader(c.kept.find("etc/os-release").content.reader(), maxControl))
	if err != nil {
		return err
	}
	if !alpineID.Match(data) {
		return fmt.Errorf("etc/os-release: %.60q is not Alpine's", bytes.TrimSpace(data))
	}
	return nil
}

// headers gives what a compiler needs for the image's interpreter, where the
// image has it.
func (up *upstream) headers() (tree, error) {
	t := tree{}
	config := path.Join(imagePrefix, "include/python3.11/pyconfig.h")
	found := false
	for _, name := range up.files.names() {
		data := path.Dir(name) == path.Clean(imageStdlib) && strings.HasPrefix(path.Base(name), "_sysconfigdata") && path.Ext(name) == ".py"
		if e := up.files.tree[name]; e.kind == tar.TypeReg && (data || name == config) {
			found = found || data
			if err := t.add(e); err != nil {
				return nil, err
			}
		}
	}
	if t[config] == nil {
		return nil, fmt.Errorf("%s: is not in the image", config)
	}
	if !found {
		return nil, fmt.Errorf("%s_sysconfigdata*.py: is not in the image", imageStdlib)
	}
	return t, nil
}
