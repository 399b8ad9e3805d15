// Package atomicfile puts files in place whole: who opens one sees all of it, or
// what was there before, whatever interrupts the writer.
//
// A power cut is another matter. What is compared with a digest or checksum
// before anybody believes it (blobs, downloads, layers, facts) is not synced to
// the disk: a cut may leave it short or empty, and then it is made again. What
// nothing can check (a lock, a layout's index, what a user asked to have written)
// is synced before it gets its name, so that a cut leaves the old file or the new
// one. The directory is synced in neither case: either file will do.
package atomicfile

import (
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// Prefix begins the name of each file that is not whole yet. What a killed
// process left of them may be removed once it is old.
const Prefix = ".tmp-"

// File is a file that has no place yet.
type File struct {
	*os.File
	kept bool
}

// Create creates a file in dir, which is made if it is not there. Its mode is
// 0644 less the umask: what it becomes is for others to read.
func Create(dir string) (*File, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	// Not os.CreateTemp, whose mode ignores the umask.
	f, err := os.OpenFile(filepath.Join(dir, Prefix+rand.Text()), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return nil, err
	}
	return &File{File: f}, nil
}

// Keep closes the file and moves it to path, in place of what is there, even of a
// directory. path must be on the same device. It is not synced: see Sync.
func (f *File) Keep(path string) error {
	err := f.File.Close()
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil && isDir(path) {
		if err = os.RemoveAll(path); err == nil {
			err = os.Rename(f.Name(), path)
		}
	}
	f.kept = err == nil
	return err
}

// Close closes the file, and removes it unless it was kept.
func (f *File) Close() error {
	if f.kept {
		return nil
	}
	_ = f.File.Close() // whether it is written no longer matters
	return os.Remove(f.Name())
}

func isDir(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && info.IsDir()
}

// Write writes files of a directory, which must exist, and syncs them. All are
// written before the first gets its name: a full disk leaves the old ones.
func Write(dir string, files map[string][]byte) (err error) {
	names := slices.Sorted(maps.Keys(files))
	written := map[string]*File{}
	defer func() {
		for _, f := range written {
			err = errors.Join(err, f.Close())
		}
	}()
	if _, err := os.Stat(dir); err != nil {
		return err
	}
	for _, name := range names {
		f, err := Create(dir)
		if err != nil {
			return fmt.Errorf("writing %s: %w", filepath.Join(dir, name), err)
		}
		written[name] = f
		if _, err = f.Write(files[name]); err == nil {
			err = f.Sync()
		}
		if err != nil {
			return fmt.Errorf("writing %s: %w", filepath.Join(dir, name), err)
		}
	}
	for _, name := range names {
		if err := written[name].Keep(filepath.Join(dir, name)); err != nil {
			return fmt.Errorf("writing %s: %w", filepath.Join(dir, name), err)
		}
	}
	return nil
}

// WriteNew writes and syncs a file that is not there yet. One that is, is left alone, and
// the error is fs.ErrExist.
func WriteNew(path string, data []byte) (err error) {
	f, err := Create(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if _, err := f.Write(data); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	return os.Link(f.Name(), path) // a rename would take the place of what is there
}
