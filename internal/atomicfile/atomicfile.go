// Package atomicfile puts files in place whole, as others may look for them at
// the same time.
package atomicfile

import (
	"errors"
	"os"
)

// Rename moves a file that is written whole to path, and replaces what is there,
// even a directory. When that fails, the file is removed.
//
// Nothing is synced to the disk: a power cut may leave a file of a cache short
// or empty, and who reads it compares it with its digest or checksum anyway.
func Rename(temp, path string) error {
	err := os.Rename(temp, path)
	if err != nil && isDir(path) {
		if err = os.RemoveAll(path); err == nil {
			err = os.Rename(temp, path)
		}
	}
	if err != nil {
		return errors.Join(err, os.Remove(temp))
	}
	return nil
}

func isDir(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && info.IsDir()
}
