package rootfs

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
)

// Where the official Python images have what a base takes from them.
const (
	imagePrefix = "usr/local"
	imagePython = imagePrefix + "/bin/python3.11"
	imageStdlib = imagePrefix + "/lib/python3.11/"
	zoneDir     = "usr/share/zoneinfo"
)

// imageData are files and directories that programs read and no ELF file names.
var imageData = []struct {
	name string
	must bool
}{
	{bundlePath, true},
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
	image        tree
	from         string
	architecture string

	packages []*apkPackage
	owner    map[string]*apkPackage
	database string

	kept  tree
	whole map[*apkPackage]bool
	todo  []needs
}

// needs are a kept ELF file and where the loader looks for its libraries first:
// musl asks the file's own paths and then those of the files that asked for it.
type needs struct {
	file   *entry
	search []string
}

func newClosure(f *flat, architecture string) (*closure, error) {
	c := &closure{
		image: f.tree, from: f.from, architecture: architecture,
		owner: map[string]*apkPackage{}, kept: tree{}, whole: map[*apkPackage]bool{},
	}
	for _, name := range databases {
		e := c.image.find(name)
		if e == nil || e.kind != tar.TypeReg {
			continue
		}
		data, err := io.ReadAll(e.content.reader())
		if err != nil {
			return nil, err
		}
		if c.packages, err = parseApk(data); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		c.database = e.name
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
	if dir, err := c.image.real(path.Dir(f.name)); err == nil {
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
		if err := c.data(d.name); err != nil && (d.must || !errors.Is(err, errNowhere)) {
			return err
		}
	}
	for len(c.todo) > 0 {
		next := c.todo[0]
		c.todo = c.todo[1:]
		if err := c.libraries(next); err != nil {
			return fmt.Errorf("%s: %w", next.file.name, err)
		}
	}
	return nil
}

func (c *closure) python() error {
	if _, err := c.keep(imagePython, nil); err != nil {
		return err
	}
	for _, name := range c.image.names() {
		if strings.HasPrefix(name, imageStdlib) && !outOfStdlib(strings.TrimPrefix(name, imageStdlib)) {
			if _, err := c.keep(name, nil); err != nil {
				return err
			}
		}
	}
	for _, name := range []string{"python", "python3"} {
		e := c.image.find(path.Join(imagePrefix, "bin", name))
		if e != nil && e.name == imagePython {
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
	if err != nil || e.kind != tar.TypeDir {
		return err
	}
	for _, below := range c.image.names() {
		if strings.HasPrefix(below, e.name+"/") && !isBallast(below) {
			if _, err := c.keep(below, nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// keep takes what a name leads to, with the links on the way. An ELF file's
// libraries are looked for in search after its own paths.
func (c *closure) keep(name string, search []string) (*entry, error) {
	at, links, err := c.image.walk(name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	e := c.image[at]
	if e == nil {
		return nil, fmt.Errorf("%s: is not in the image: %w", name, errNowhere)
	}
	for _, one := range append(slices.Clone(links), e) {
		if c.kept[one.name] != nil && !c.kept[one.name].implied {
			continue
		}
		if one.kind == tar.TypeReg {
			if err := checkFileMode(one.mode); err != nil {
				return nil, fmt.Errorf("%s: %w", one.name, err)
			}
		}
		if err := c.kept.add(one); err != nil {
			return nil, err
		}
		if one.kind == tar.TypeReg && isELF(one.content) {
			c.todo = append(c.todo, needs{one, search})
		}
	}
	return e, nil
}
