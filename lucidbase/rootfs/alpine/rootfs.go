package alpine

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

	"github.com/lucid-project/base-images/lucidbase/lock"
	"github.com/lucid-project/base-images/lucidbase/rootfs/internal/deb"
	"github.com/lucid-project/base-images/lucidbase/rootfs/internal/tree"
)

// rootfs returns the file system of a base: the image's closure, Debian's packages
// for what the image lacks, and what every base has of us. It names the packages
// of the image that the closure has files of.
func (m *Registries) rootfs(ctx context.Context, up *upstream, packages []lock.Package, suites []lock.Suite) (tree.Tree, []lock.ApkPackage, error) {
	c, err := up.closure()
	if err != nil {
		return nil, nil, err
	}
	t := c.kept
	kept, err := c.packageList()
	if err != nil {
		return nil, nil, err
	}
	u := deb.Unpacker{
		Architecture: up.platform.Architecture, Spool: up.files.spool,
		Get: func(ctx context.Context, p lock.Package) (string, error) { return m.Archives.File(ctx, p, suites) },
	}
	debs, err := u.Unpack(ctx, packages)
	if err != nil {
		return nil, nil, err
	}
	if err := borrow(t, debs); err != nil {
		return nil, nil, err
	}
	init := &tree.Entry{Name: tree.InitProgram, From: tree.Us, Kind: tar.TypeSymlink, Mode: 0o777, Target: path.Base(deb.StaticInit)}
	if err := ours(t, slices.Concat(tree.Directories(), imageDirectories(), tree.Users(), []*tree.Entry{init})); err != nil {
		return nil, nil, err
	}
	t.DropScripts()
	return t, kept, t.CheckLinks()
}

// closure returns what of the image its interpreter needs.
func (up *upstream) closure() (*closure, error) {
	c, err := newClosure(up.files, up.platform.Architecture)
	if err == nil {
		err = c.compute()
	}
	if err == nil {
		err = c.checkRelease()
	}
	return c, err
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
	list := tree.File(c.database, formatApk(entries))
	return names, c.kept.Add(list)
}

// replaced reports what is ours in every base, whatever the image has there.
func replaced(name string) bool {
	return slices.ContainsFunc(tree.Users(), func(e *tree.Entry) bool { return e.Name == name })
}

// ours puts our own entries in place, over what the image has.
func ours(t tree.Tree, entries []*tree.Entry) error {
	for _, e := range entries {
		if old := t[e.Name]; old != nil && (old.Kind == e.Kind || replaced(e.Name)) {
			delete(t, e.Name)
		}
		if err := t.Add(e); err != nil {
			return err
		}
	}
	return nil
}

// borrow adds of Debian packages what needs no C library, with what scanners read
// of them.
func borrow(t tree.Tree, debs []deb.File) error {
	for _, d := range debs {
		for _, e := range d.Entries {
			wanted := e.Name == deb.StaticInit || strings.HasPrefix(e.Name, zoneDir) || strings.HasPrefix(e.Name, tree.DocDir)
			if !wanted || deb.LeftOut(e) {
				continue
			}
			if err := t.Add(e); err != nil {
				return err
			}
		}
		for _, e := range d.Status(t) {
			if err := t.Add(e); err != nil {
				return err
			}
		}
	}
	return nil
}

// imageDirectories are those of Alpine's base layout that programs count on.
func imageDirectories() []*tree.Entry {
	var out []*tree.Entry
	for _, name := range []string{"dev", "home", "proc", "run", "sys", "usr/bin", "var/cache", "var/lib", "var/log"} {
		out = append(out, &tree.Entry{Name: name, From: tree.Us, Kind: tar.TypeDir, Mode: 0o755})
	}
	return append(out, &tree.Entry{Name: "root", From: tree.Us, Kind: tar.TypeDir, Mode: 0o700})
}

var alpineID = regexp.MustCompile(`(?m)^ID="?alpine"?$`)

// checkRelease refuses an image of another distribution, whose library packages
// would not be in the database.
func (c *closure) checkRelease() error {
	data, err := io.ReadAll(io.LimitReader(c.kept.Find("etc/os-release").Content.Reader(), deb.MaxControl))
	if err != nil {
		return err
	}
	if !alpineID.Match(data) {
		return fmt.Errorf("etc/os-release: %.60q is not Alpine's", bytes.TrimSpace(data))
	}
	return nil
}

// headers returns what a compiler needs for the image's interpreter, where the
// image has it.
func (up *upstream) headers() (tree.Tree, error) {
	t := tree.Tree{}
	config := path.Join(imagePrefix, "include", lock.PythonName, "pyconfig.h")
	found := false
	for _, name := range up.files.Names() {
		data := path.Dir(name) == path.Clean(imageStdlib) && strings.HasPrefix(path.Base(name), "_sysconfigdata") && path.Ext(name) == ".py"
		if e := up.files.Tree[name]; e.Kind == tar.TypeReg && (data || name == config) {
			found = found || data
			if err := t.Add(e); err != nil {
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
