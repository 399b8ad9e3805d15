package alpine

import (
	"archive/tar"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/lucid-project/base-images/lucidbase/lock"
	"github.com/lucid-project/base-images/lucidbase/rootfs/internal/tree"
)

const (
	shellProgram = "bin/busybox"
	// bundledWheels is where CPython has the wheel that the image's pip was installed from.
	bundledWheels = imageStdlib + "ensurepip/_bundled/"
	// wheelDir is where a twin has it, as Debian's does.
	wheelDir = "usr/share/python-wheels"
)

// dev returns what a twin has besides the base, on which it lies: busybox under all its
// names, the wheel of pip, and the database of packages with what that adds to it, which
// it names. What the image lacks of these is tree.ErrNowhere.
func (up *upstream) dev() (tree.Tree, []lock.ApkPackage, error) {
	c, err := up.closure()
	if err != nil {
		return nil, nil, err
	}
	base, err := c.packageList()
	if err != nil {
		return nil, nil, err
	}
	below := maps.Clone(c.kept)
	delete(c.kept, c.database)
	if err := errors.Join(c.shell(), c.pip()); err != nil {
		return nil, nil, err
	}
	kept, err := c.packageList()
	if err != nil {
		return nil, nil, err
	}
	t := tree.Tree{}
	for _, name := range c.kept.Names() {
		if old := below[name]; old != c.kept[name] && !c.kept[name].Implied {
			if err := t.Add(c.kept[name]); err != nil {
				return nil, nil, err
			}
		}
	}
	kept = slices.DeleteFunc(kept, func(p lock.ApkPackage) bool { return slices.Contains(base, p) })
	return t, kept, nil
}

// shell keeps busybox, each link to it, and its libraries: none of its settings, which are
// for a whole system.
func (c *closure) shell() error {
	shell, err := c.keep(shellProgram, nil)
	if err != nil {
		return err
	}
	c.whole[c.owner[shell.Name]] = true
	for _, name := range c.image.Names() {
		e := c.image[name]
		if e != shell && (e.Kind != tar.TypeSymlink || !strings.HasSuffix(path.Dir(name), "bin") || c.image.Find(name) != shell) {
			continue
		}
		if _, err := c.keep(name, nil); err != nil {
			return err
		}
	}
	return c.allLibraries()
}

// pip puts the image's wheel of pip where a twin's is.
func (c *closure) pip() error {
	for _, name := range slices.Backward(c.image.Names()) { // the newest, if there are several
		e := c.image[name]
		if file, ok := strings.CutPrefix(name, bundledWheels); ok && e.Kind == tar.TypeReg && strings.HasPrefix(file, "pip-") && path.Ext(file) == ".whl" {
			wheel := *e
			wheel.Name = path.Join(wheelDir, file)
			return c.kept.Add(&wheel)
		}
	}
	return fmt.Errorf("%spip-*.whl: is not in the image: %w", bundledWheels, tree.ErrNowhere)
}
