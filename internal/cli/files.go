package cli

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// writeFiles replaces files of a directory. All are written aside before the
// first is renamed: an interruption or a full disk leaves the old ones.
func writeFiles(dir string, files map[string][]byte) error {
	names := slices.Sorted(maps.Keys(files))
	aside := map[string]string{}
	defer func() {
		for _, temp := range aside {
			os.Remove(temp)
		}
	}()
	for _, name := range names {
		temp, err := writeAside(dir, name, files[name])
		if err != nil {
			return fmt.Errorf("writing %s: %w", filepath.Join(dir, name), err)
		}
		aside[name] = temp
	}
	for _, name := range names {
		if err := os.Rename(aside[name], filepath.Join(dir, name)); err != nil {
			return fmt.Errorf("writing %s: %w", filepath.Join(dir, name), err)
		}
		delete(aside, name)
	}
	return nil
}

func writeAside(dir, name string, data []byte) (temp string, err error) {
	f, err := os.CreateTemp(dir, "."+name+"-*")
	if err != nil {
		return "", err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	if _, err := f.Write(data); err != nil {
		return "", err
	}
	if err := f.Chmod(0o644); err != nil {
		return "", err
	}
	return f.Name(), f.Close()
}
