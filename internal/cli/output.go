package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// checkOutputs finds what would fail after the build before it.
func (b *buildFlags) checkOutputs() error {
	if !b.push {
		if err := checkOutput(b.output); err != nil {
			return fmt.Errorf("--output %s: %w", b.output, err)
		}
	}
	if b.metadata == "" {
		return nil
	}
	if err := checkFile(b.metadata); err != nil {
		return fmt.Errorf("--metadata-file %s: %w", b.metadata, err)
	}
	return nil
}

// checkOutput finds out whether a directory can be made, and written to.
func checkOutput(dir string) error {
	info, err := os.Stat(dir)
	for errors.Is(err, fs.ErrNotExist) && filepath.Dir(dir) != dir {
		dir = filepath.Dir(dir)
		info, err = os.Stat(dir)
	}
	switch {
	case errors.Is(err, syscall.ENOTDIR):
		return errors.New("a part of the path is a file, not a directory")
	case err != nil:
		return err
	case !info.IsDir():
		return fmt.Errorf("%s is a file, not a directory", dir)
	}
	return checkWritable(dir)
}

func checkWritable(dir string) error {
	probe, err := os.MkdirTemp(dir, ".lucidbase-")
	if err != nil {
		return err
	}
	return os.Remove(probe)
}

func checkFile(file string) error {
	if info, err := os.Stat(file); err == nil && info.IsDir() {
		return errors.New("it is a directory")
	}
	info, err := os.Stat(filepath.Dir(file))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("there is no directory %s", filepath.Dir(file))
	case errors.Is(err, syscall.ENOTDIR), err == nil && !info.IsDir():
		return errors.New("a part of the path is a file, not a directory")
	case err != nil:
		return err
	}
	return checkWritable(filepath.Dir(file))
}
