package debian

import (
	"archive/tar"
	"path"

	"github.com/lucid-project/base-images/lucidbase/rootfs/internal/tree"
)

// alternative is a link that packages' scripts make with update-alternatives.
type alternative struct {
	name string
	// targets are what it leads to, beside it or below: the first that is there, in
	// Debian's order.
	targets []string
}

// alternatives are those of a directory, by its pattern.
var alternatives = map[string][]alternative{
	"usr/lib/*-linux-gnu": {
		{"libblas.so.3", in("libblas.so.3", "openblas-pthread", "openblas-openmp", "openblas-serial", "atlas", "blas")},
		{"liblapack.so.3", in("liblapack.so.3", "openblas-pthread", "openblas-openmp", "openblas-serial", "atlas", "lapack")},
		{"libopenblas.so.0", in("libopenblas.so.0", "openblas-pthread", "openblas-openmp", "openblas-serial")},
	},
	"etc/mysql": {
		{"my.cnf", []string{"mariadb.cnf", "my.cnf.fallback"}},
	},
}

// in returns a file of each directory.
func in(name string, dirs ...string) []string {
	var all []string
	for _, dir := range dirs {
		all = append(all, path.Join(dir, name))
	}
	return all
}

// addAlternatives adds the links that can lead to something.
func addAlternatives(t tree.Tree) error {
	for _, dir := range t.Names() {
		for pattern, all := range alternatives {
			if ok, _ := path.Match(pattern, dir); !ok {
				continue
			}
			for _, a := range all {
				if err := addAlternative(t, dir, a); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func addAlternative(t tree.Tree, dir string, a alternative) error {
	name := path.Join(dir, a.name)
	for _, target := range a.targets {
		if t[name] == nil && t[path.Join(dir, target)] != nil {
			return t.Add(&tree.Entry{Name: name, From: tree.Us, Kind: tar.TypeSymlink, Mode: 0o777, Target: target})
		}
	}
	return nil
}
