package file

import (
	"cmp"
	"errors"
	"io/fs"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/lucid-project/base-images/lucidbase/lock"
	"github.com/lucid-project/base-images/variants"
)

// List is a list of requirements that a service's lock is made from.
type List struct {
	// Name is the list's path in FS: NAME.in or else NAME.txt, beside its lock.
	Name string
	// Lock is the path of the lock, NAME.lock.txt.
	Lock string
	// Base is the name of the image that it is locked with.
	Base string
}

const lockSuffix = ".lock.txt"

// Lists returns the lists of all services, each once, in the order of the file. Locks
// are not read, and need not be there.
func (r Reader) Lists() ([]List, error) {
	d := decoder{Reader: r, lock: func(string) (lock.Packages, error) { return lock.Packages{}, nil }}
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
			all = append(all, List{d.beside(at, file), file, base.Value})
			lines[file] = base.Line
		case !same(all[known].Base, base.Value):
			d.at(base, "%s is locked with %s on line %d, and with %s here", at.Value, all[known].Base, lines[file], base.Value)
		}
	}
	if len(all) == 0 && len(d.errs) == 0 {
		d.at(d.sections["services"], "no service has a lock")
	}
	return all, d.err()
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
