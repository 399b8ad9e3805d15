package alpine

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/lucid-project/base-images/lucidbase/lock"
	"github.com/lucid-project/base-images/lucidbase/rootfs/internal/tree"
)

// libraries keeps what an ELF file is linked to, and the package that it is from.
func (c *closure) libraries(n needs) error {
	if err := c.wholePackage(c.owner[n.file.Name]); err != nil {
		return err
	}
	p, err := readELF(n.file.Content, c.architecture)
	if err != nil {
		return err
	}
	var search []string
	for _, dir := range p.search {
		search = append(search, origin(dir, n.file.Name))
	}
	search = append(search, n.search...)
	if p.loader != "" {
		if _, err := c.keep(p.loader, nil); err != nil {
			return err
		}
	}
	system, err := c.systemPath()
	if err != nil {
		return err
	}
	for _, name := range p.needed {
		found := c.library(name, slices.Concat(search, system))
		switch {
		case found != "":
			if _, err := c.keep(found, search); err != nil {
				return err
			}
		case !isLoaderItself(name):
			return fmt.Errorf("needs %s, which the image lacks", name)
		}
	}
	return nil
}

// library returns the first file of that name on a search path.
func (c *closure) library(name string, search []string) string {
	if strings.Contains(name, "/") {
		search, name = []string{path.Dir(name)}, path.Base(name)
	}
	for _, dir := range search {
		file := path.Join(dir, name)
		if e := c.image.Find(file); path.IsAbs(dir) && e != nil && e.Kind == tar.TypeReg {
			return file
		}
	}
	return ""
}

// systemPath is where musl's loader looks last: what its file says, or else its
// built-in list.
func (c *closure) systemPath() ([]string, error) {
	machine := map[string]string{"amd64": "x86_64", "arm64": "aarch64"}[c.architecture]
	file := "etc/ld-musl-" + machine + ".path"
	e, err := c.keep(file, nil)
	switch {
	case errors.Is(err, tree.ErrNowhere):
		return []string{"/lib", "/usr/local/lib", "/usr/lib"}, nil
	case err != nil:
		return nil, err
	case e.Kind != tar.TypeReg || e.Content.Size > 1<<16:
		return nil, fmt.Errorf("%s: is no list of directories", file)
	}
	data, err := io.ReadAll(e.Content.Reader())
	if err != nil {
		return nil, err
	}
	return strings.FieldsFunc(string(data), func(r rune) bool { return r == '\n' || r == ':' }), nil
}

// wholePackage keeps all of a library's package: its settings and what it opens by
// itself. The packages that it names by name, and not by a library or a command,
// hold data.
func (c *closure) wholePackage(p *apkPackage) error {
	if p == nil || c.whole[p] {
		return nil
	}
	c.whole[p] = true
	for _, d := range p.dirs {
		for _, f := range d.files {
			if e := c.image[f.name]; e == nil || isBallast(f.name) || dangling(c.image, e) {
				continue // removed by a later layer, or of no use without a shell
			}
			if _, err := c.keep(f.name, nil); err != nil {
				return fmt.Errorf("package %s: %w", p.Name, err)
			}
		}
	}
	for _, wanted := range p.depends {
		name := wanted[:strings.IndexAny(wanted+"=", "=<>~")]
		i := slices.IndexFunc(c.packages, func(q *apkPackage) bool { return q.Name == name })
		if i < 0 {
			continue // so:, cmd:, a path, a conflict
		}
		if err := c.wholePackage(c.packages[i]); err != nil {
			return err
		}
	}
	return nil
}

func dangling(t tree.Tree, e *tree.Entry) bool {
	return e.Kind == tar.TypeSymlink && t.Find(e.Name) == nil
}

// isBallast reports what no image needs of a package: programs, documentation,
// what compilers read, what apk has for itself.
func isBallast(name string) bool {
	if path.Ext(name) == ".a" {
		return true
	}
	for _, dir := range []string{
		"bin/", "sbin/", "usr/bin/", "usr/sbin/", "usr/local/bin/", "usr/local/sbin/",
		"usr/include/", "usr/lib/pkgconfig/", "usr/share/doc/", "usr/share/man/", "usr/share/info/",
		"etc/apk/", "lib/apk/", "usr/lib/apk/", "usr/share/apk/", "var/", "etc/init.d/", "etc/conf.d/",
	} {
		if strings.HasPrefix(name, dir) {
			return true
		}
	}
	return false
}

// outOfStdlib reports what a base goes without, by the path below the standard
// library: tests, what needs a screen or installs packages, what compilers read,
// and what is made from the rest (bytecode, grammar tables).
func outOfStdlib(name string) bool {
	parts := strings.Split(name, "/")
	for _, dir := range parts {
		switch dir {
		case "__pycache__", "test", "tests", "idle_test":
			return true
		}
	}
	switch top := parts[0]; {
	case slices.Contains([]string{"ensurepip", "idlelib", "tkinter", "turtledemo", "turtle.py"}, top),
		strings.HasPrefix(top, "config-"+lock.PythonMinor),
		top == "site-packages" && len(parts) > 1,
		top == "lib-dynload" && len(parts) > 1 && isTestModule(parts[1]):
		return true
	}
	return slices.Contains([]string{".a", ".exe", ".pickle", ".pyc"}, path.Ext(name))
}

// isTestModule names the extension modules that only Python's own tests import,
// and the one for Tk.
func isTestModule(file string) bool {
	for _, prefix := range []string{"_test", "_ctypes_test", "_xxtestfuzz", "xxlimited", "xxsubtype", "_tkinter"} {
		if strings.HasPrefix(file, prefix) {
			return true
		}
	}
	return false
}
