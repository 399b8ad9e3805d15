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
	// onDisk returns where a path of the reader's file system is, as seen from the
	// working directory.
	onDisk func(name string) string
}

func (f *fileFlag) add(flags *pflag.FlagSet) {
	flags.StringVarP(&f.path, "file", "f", "", "`file` of services, such as "+file.Name+", whose names the arguments are")
}

// find returns the named images, each once, or all if there is no name: services of
// the file or, without one, base images.
func (f *fileFlag) find(names []string) ([]image, error) {
	var found []image
	if f.path == "" {
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
	all := slices.Sorted(maps.Keys(services))
	if len(names) == 0 {
		names = all
	}
	for i, name := range names {
		s, ok := services[name]
		switch {
		case ok && !slices.Contains(names[:i], name):
			found = append(found, own(s))
		case !ok:
			near, ok := suggest.Search(name, all, true)
			if !ok {
				return nil, usagef("%s has no service %q; it has %s", f.path, name, strings.Join(all, ", "))
			}
			return nil, usagef("%s has no service %q; did you mean %s?", f.path, name, near)
		}
	}
	return found, nil
}

// own is a service as an image. One that has no version gets that of --tag.
func own(s variants.Service) image {
	return image{s.Name, func(o variants.Options) lucidbase.Spec {
		s.Version = cmp.Or(s.Version, o.Version)
		return s
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
		FS: os.DirFS(root), Name: filepath.ToSlash(strings.TrimPrefix(full, root)), Shown: f.path,
		From: func(dir string) variants.From { return variants.Dir(f.onDisk(dir)) },
	}, nil
}
