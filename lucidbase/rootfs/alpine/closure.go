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

// Where the official Python images have what a base takes from them.
const (
	imagePrefix = "usr/local"
	imagePython = imagePrefix + "/bin/" + lock.PythonName
	imageStdlib = imagePrefix + "/lib/" + lock.PythonName + "/"
	zoneDir     = "usr/share/zoneinfo"
)

// imageData are files and directories that programs read and no ELF file names.
var imageData = []struct {
	name string
	must bool
}{
	{tree.BundlePath, true},
	{"etc/ssl/cert.pem", false}, // where Alpine's OpenSSL looks when SSL_CERT_FILE is not set
	{"etc/os-release", true},
	{"etc/alpine-release", true},
	{"etc/services", false},
	{"etc/protocols", false},
	{zoneDir, false},
}

// databases are where apk keeps its list of installed packages: version 2, and
// version 3 on a merged /usr.
var databases = []string{"lib/apk/db/installed", "usr/lib/apk/db/installed"}

// closure finds what of an image its interpreter needs: the interpreter with its
// standard library, each library that one of the extension modules is linked to,
// and the packages that these libraries belong to.
type closure struct {
	image        tree.Tree
	from         string
	architecture string

	packages []*apkPackage
	owner    map[string]*apkPackage
	database string

	kept  tree.Tree
	whole map[*apkPackage]bool
	todo  []needs
}

// needs are a kept ELF file and where the loader looks for its libraries first:
// musl asks the file's own paths and then those of the files that asked for it.
type needs struct {
	file   *tree.Entry
	search []string
}

func newClosure(f *flat, architecture string) (*closure, error) {
	c := &closure{
		image: f.Tree, from: f.from, architecture: architecture,
		owner: map[string]*apkPackage{}, kept: tree.Tree{}, whole: map[*apkPackage]bool{},
	}
	for _, name := range databases {
		e := c.image.Find(name)
		if e == nil || e.Kind != tar.TypeReg {
			continue
		}
		data, err := io.ReadAll(e.Content.Reader())
		if err != nil {
			return nil, err
		}
		if c.packages, err = parseApk(data); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		c.database = e.Name
		break
	}
	if c.database == "" {
		return nil, errors.New("no database of installed packages in it: it is no Alpine image")
	}
	for _, p := range c.packages {
		for i := range p.dirs {
			for j := range p.dirs[i].files {
				c.own(p, &p.dirs[i].files[j])
			}
		}
	}
	return c, nil
}

// own notes whose a file is, by the path that it has once links are followed.
func (c *closure) own(p *apkPackage, f *apkFile) {
	if dir, err := c.image.Real(path.Dir(f.name)); err == nil {
		f.name = path.Join(dir, path.Base(f.name))
	}
	c.owner[f.name] = p
}

// compute keeps the whole closure.
func (c *closure) compute() error {
	if err := c.python(); err != nil {
		return err
	}
	for _, d := range imageData {
		if err := c.data(d.name); err != nil && (d.must || !errors.Is(err, tree.ErrNowhere)) {
			return err
		}
	}
	return c.allLibraries()
}

// allLibraries keeps the libraries of the programs that were kept, and theirs.
func (c *closure) allLibraries() error {
	for len(c.todo) > 0 {
		next := c.todo[0]
		c.todo = c.todo[1:]
		if err := c.libraries(next); err != nil {
			return fmt.Errorf("%s: %w", next.file.Name, err)
		}
	}
	return nil
}

func (c *closure) python() error {
	if _, err := c.keep(imagePython, nil); err != nil {
		return err
	}
	for _, name := range c.image.Names() {
		if strings.HasPrefix(name, imageStdlib) && !outOfStdlib(strings.TrimPrefix(name, imageStdlib)) {
			if _, err := c.keep(name, nil); err != nil {
				return err
			}
		}
	}
	for _, name := range []string{"python", "python3"} {
		e := c.image.Find(path.Join(imagePrefix, "bin", name))
		if e != nil && e.Name == imagePython {
			if _, err := c.keep(path.Join(imagePrefix, "bin", name), nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// data keeps a file, or a directory with all that is in it.
func (c *closure) data(name string) error {
	e, err := c.keep(name, nil)
	if err != nil || e.Kind != tar.TypeDir {
		return err
	}
	for _, below := range c.image.Names() {
		if strings.HasPrefix(below, e.Name+"/") && !isBallast(below) {
			if _, err := c.keep(below, nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// keep takes what a name leads to, with the links on the way. An ELF file's
// libraries are looked for in search after its own paths.
func (c *closure) keep(name string, search []string) (*tree.Entry, error) {
	at, links, err := c.image.Walk(name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	e := c.image[at]
	if e == nil {
		return nil, fmt.Errorf("%s: is not in the image: %w", name, tree.ErrNowhere)
	}
	for _, one := range append(slices.Clone(links), e) {
		if c.kept[one.Name] != nil && !c.kept[one.Name].Implied {
			continue
		}
		if one.Kind == tar.TypeReg {
			if err := tree.CheckFileMode(one.Mode); err != nil {
				return nil, fmt.Errorf("%s: %w", one.Name, err)
			}
		}
		if err := c.kept.Add(one); err != nil {
			return nil, err
		}
		if one.Kind == tar.TypeReg && isELF(one.Content) {
			c.todo = append(c.todo, needs{one, search})
		}
	}
	return e, nil
}
