package file

import (
	"cmp"
	"errors"
	"io/fs"
	"path"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/lucid-project/base-images/lucidbase/lock"
	"github.com/lucid-project/base-images/variants"
)

// List is what a service's lock is made from: a list of requirements, or of Debian
// packages.
type List struct {
	// Name is the path in FS of a list of requirements: NAME.in or else NAME.txt, beside
	// its lock.
	Name string
	// Lock is the path of the lock, NAME.lock.txt.
	Lock string
	// Base is the name of the image that it is locked with.
	Base string
	// System are Debian packages, in the place of Name and Base; the lock is
	// SERVICE.system.lock.json or, of defaults, named for the file.
	System []string
}

const lockSuffix = ".lock.txt"

// Lists returns the lists of all services, each once, in the order of the file. Locks
// are not read, and need not be there.
func (r Reader) Lists() ([]List, error) {
	d := decoder{
		Reader:     r,
		lock:       func(string) (lock.Packages, error) { return lock.Packages{}, nil },
		lockSystem: func(string) (lock.System, error) { return lock.System{}, nil },
	}
	if _, err := d.services(); err != nil {
		return nil, err
	}
	var all []List
	lines := map[string]int{}
	for i := 1; i < len(d.sections["services"].Content); i += 2 {
		service, defaults := d.sections["services"].Content[i], d.sections["defaults"]
		at, base := cmp.Or(entry(service, "lock"), entry(defaults, "lock")), cmp.Or(entry(service, "base"), entry(defaults, "base"))
		if at == nil {
			continue
		}
		if base == nil {
			d.at(service, "no base, which its list is locked with")
			continue
		}
		file, _ := d.path(at, "the path of a lock")
		known := slices.IndexFunc(all, func(l List) bool { return l.Lock == file })
		switch {
		case known < 0:
			all = append(all, List{Name: d.beside(at, file), Lock: file, Base: base.Value})
			lines[file] = base.Line
		case !same(all[known].Base, base.Value):
			d.at(base, "%s is locked with %s on line %d, and with %s here", at.Value, all[known].Base, lines[file], base.Value)
		}
	}
	all = append(all, d.systems()...)
	if len(all) == 0 && len(d.errs) == 0 {
		d.at(d.sections["services"], "no service has a lock")
	}
	return all, d.err()
}

// systems returns the lists of Debian packages.
func (d *decoder) systems() []List {
	var all []List
	add := func(of string, fields *yaml.Node) {
		n := entry(fields, "system")
		if n == nil || len(n.Content) == 0 {
			return
		}
		d.of = of
		wanted, _ := d.names(n)
		file, _ := d.systemLock(n)
		if slices.ContainsFunc(all, func(l List) bool { return l.Lock == file }) {
			d.at(n, "%s is the lock of what defaults has: give the service or the file another name", path.Base(file))
		}
		all = append(all, List{Lock: file, System: wanted})
	}
	add(strings.TrimSuffix(path.Base(d.Name), path.Ext(d.Name)), d.sections["defaults"])
	services := d.sections["services"].Content
	for i := 1; i < len(services); i += 2 {
		add(services[i-1].Value, services[i])
	}
	return all
}

// same reports whether two names are of one base image.
func same(a, b string) bool {
	return reflect.TypeOf(variants.Named(a, variants.Options{})) == reflect.TypeOf(variants.Named(b, variants.Options{}))
}

// beside finds the list beside its lock.
func (d *decoder) beside(at *yaml.Node, file string) string {
	name, ok := strings.CutSuffix(file, lockSuffix)
	if !ok {
		d.at(at, "%.60q is not NAME%s, whose list is NAME.in or NAME.txt", at.Value, lockSuffix)
		return ""
	}
	for _, list := range []string{name + ".in", name + ".txt"} {
		if _, err := fs.Stat(d.FS, list); err == nil {
			return list
		} else if !errors.Is(err, fs.ErrNotExist) {
			d.at(at, "%w", err)
			return ""
		}
	}
	short := strings.TrimSuffix(at.Value, lockSuffix)
	d.at(at, "no list to lock: neither %s.in nor %s.txt", short, short)
	return ""
}

// entry returns the value of a key; nil if there is none, or no mapping.
func entry(n *yaml.Node, key string) *yaml.Node {
	if n == nil {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}
