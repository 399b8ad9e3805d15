package cli

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/moby/buildkit/util/suggest"
	"github.com/spf13/pflag"

	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/file"
	"github.com/lucid-project/base-images/variants"
)

// fileFlag is the flag of every command that knows the services of a file.
type fileFlag struct {
	path string
	// own are the images of a program of somebody's own, which has no such flag.
	own []image
	// onDisk returns where a path of the reader's file system is, as seen from the
	// working directory.
	onDisk func(name string) string
}

func (f *fileFlag) add(flags *pflag.FlagSet) {
	if f.own != nil {
		return
	}
	flags.StringVarP(&f.path, "file", "f", "", "`file` of services, such as "+file.Name+", whose names the arguments are")
}

// find returns the named images, each once, or all if there is no name: the program's
// own, services of the file or, without either, base images.
func (f *fileFlag) find(names []string) ([]image, error) {
	switch {
	case f.own != nil:
		return pick("this program", f.own, names)
	case f.path == "":
		var found []image
		bases, err := findImages(names)
		for _, b := range bases {
			found = append(found, b.image)
		}
		return found, err
	}
	r, err := f.reader()
	if err != nil {
		return nil, err
	}
	services, err := r.Services()
	if err != nil {
		return nil, err
	}
	var all []image
	for _, name := range slices.Sorted(maps.Keys(services)) {
		all = append(all, own(services[name]))
	}
	return pick(f.path, all, names)
}

// pick returns the named ones of all images, or all if there is no name; from is what
// they are of.
func pick(from string, all []image, names []string) ([]image, error) {
	if len(names) == 0 {
		return all, nil
	}
	var known []string
	for _, im := range all {
		known = append(known, im.name)
	}
	var found []image
	for i, name := range names {
		at := slices.Index(known, name)
		if at < 0 {
			near, ok := suggest.Search(name, known, true)
			if !ok {
				return nil, usagef("%s has no service %q; it has %s", from, name, strings.Join(known, ", "))
			}
			return nil, usagef("%s has no service %q; did you mean %s?", from, name, near)
		}
		if !slices.Contains(names[:i], name) {
			found = append(found, all[at])
		}
	}
	return found, nil
}

// own is a service as an image. One that has no version gets that of --tag.
func own(s variants.Service) image {
	return image{s.Name, func(o variants.Options) lucidbase.Spec {
		with := s
		with.Version = cmp.Or(s.Version, o.Version)
		return with
	}}
}

// reader reads the file. A path in it may lead anywhere on the disk.
func (f *fileFlag) reader() (file.Reader, error) {
	full, err := filepath.Abs(f.path)
	if err != nil {
		return file.Reader{}, fmt.Errorf("finding the working directory: %w", err)
	}
	root := filepath.VolumeName(full) + string(filepath.Separator)
	f.onDisk = func(name string) string {
		name = filepath.Join(root, filepath.FromSlash(name))
		if rel, err := filepath.Rel(filepath.Dir(full), name); err == nil {
			return filepath.Join(filepath.Dir(f.path), rel)
		}
		return name
	}
	return file.Reader{
		Validate: true,
		FS:       os.DirFS(root), Name: filepath.ToSlash(strings.TrimPrefix(full, root)), Shown: f.path,
		From: func(dir string) variants.From { return variants.Dir(f.onDisk(dir)) },
	}, nil
}
