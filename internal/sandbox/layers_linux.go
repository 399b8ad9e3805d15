package sandbox

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/containerd/containerd/v2/pkg/archive"
	"github.com/gofrs/flock"
	"golang.org/x/sys/unix"
)

// layerStore is a directory of unpacked layers, by diff ID, for all processes of a
// user. Beside each is a file NAME.lock: who uses the layer holds it shared, who
// unpacks or removes it holds it alone. Its content is the layer's size, its time that
// of the last use.
type layerStore struct {
	dir  string
	mu   sync.Mutex
	used map[string]*layerLock
}

// layerLock is a lock between processes, and between the goroutines of this one.
type layerLock struct {
	sync.Mutex
	file *flock.Flock
}

// name is a diff ID's hexadecimal digits.
func layerName(diffID string) (string, error) {
	digits, ok := strings.CutPrefix(diffID, "sha256:")
	if sum, err := hex.DecodeString(digits); !ok || err != nil || len(sum) != sha256.Size {
		return "", fmt.Errorf("layer %q: not a sha256 digest", diffID)
	}
	return digits, nil
}

// path is where a layer's files are.
func (l *layerStore) path(name string) string { return filepath.Join(l.dir, name) }

// use keeps a layer from being removed as long as this process runs, and reports
// whether it is there.
func (l *layerStore) use(diffID string) (bool, error) {
	name, err := layerName(diffID)
	if err != nil {
		return false, err
	}
	lock := l.lock(name)
	lock.Lock()
	defer lock.Unlock()
	if err := lock.file.RLock(); err != nil {
		return false, fmt.Errorf("locking layer %s: %w", name, err)
	}
	if _, err := os.Stat(l.path(name)); err != nil {
		return false, errors.Join(lock.file.Unlock(), ignoreMissing(err))
	}
	now := time.Now()
	return true, os.Chtimes(lock.file.Path(), now, now)
}

// lock returns the lock of a layer, which stays open with this process.
func (l *layerStore) lock(name string) *layerLock {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.used == nil {
		l.used = map[string]*layerLock{}
	}
	if l.used[name] == nil {
		l.used[name] = &layerLock{file: flock.New(l.path(name) + ".lock")}
	}
	return l.used[name]
}

func ignoreMissing(err error) error {
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

// unpack unpacks a layer's tar, unless another process did so meanwhile. All of it
// is there, with the digest that it should have, or nothing.
func (l *layerStore) unpack(ctx context.Context, diffID string, tar io.Reader) error {
	name, err := layerName(diffID)
	if err != nil {
		return err
	}
	lock := l.lock(name)
	lock.Lock()
	defer lock.Unlock()
	if there, err := l.alone(lock, name); err != nil || there {
		return err
	}
	part := l.path(name) + ".part"
	if err := os.RemoveAll(part); err != nil { // of a process that was killed
		return err
	}
	var size counter
	err = unpackTo(ctx, part, name, io.TeeReader(tar, &size))
	if err == nil {
		err = os.WriteFile(lock.file.Path(), []byte(strconv.FormatInt(int64(size), 10)), 0o600) // held by this process alone
	}
	if err == nil {
		err = os.Rename(part, l.path(name))
	}
	if err != nil {
		return fmt.Errorf("unpacking layer %s: %w", diffID, errors.Join(err, os.RemoveAll(part), lock.file.Unlock()))
	}
	return lock.file.RLock() // others may use it now
}

// alone takes a layer's lock for who unpacks it, or a share of it where that was done:
// whoever uses the layer keeps a share for as long as it runs.
func (l *layerStore) alone(lock *layerLock, name string) (there bool, err error) {
	for {
		alone, err := lock.file.TryLock()
		if err == nil && !alone {
			err = lock.file.RLock() // waits for who unpacks it
		}
		if err != nil {
			return false, fmt.Errorf("locking layer %s: %w", name, err)
		}
		if _, err := os.Stat(l.path(name)); err == nil {
			return true, lock.file.RLock()
		}
		if alone {
			return false, nil
		}
		if err := lock.file.Unlock(); err != nil {
			return false, err
		}
	}
}

// unpackTo writes a layer's files to dir as overlayfs wants a lower directory.
// Directories that the layer holds files of but does not name have mode 0755: they
// hide the mode of the layer below, which matters to nobody who may only read.
func unpackTo(ctx context.Context, dir, name string, layer io.Reader) error {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	sum := sha256.New()
	layer = io.TeeReader(layer, sum)
	if _, err := archive.Apply(ctx, dir, layer, archive.WithConvertWhiteout(whiteout)); err != nil {
		return err
	}
	// What follows the end of the archive is a part of the layer, too.
	if _, err := io.Copy(io.Discard, layer); err != nil {
		return err
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != name {
		return fmt.Errorf("its digest is sha256:%s", got)
	}
	return nil
}

// whiteout makes what overlayfs hides files with, in the form that it takes in a user
// namespace, too.
func whiteout(h *tar.Header, path string) (write bool, err error) {
	dir, base := filepath.Split(path)
	switch hidden, ok := strings.CutPrefix(base, ".wh."); {
	case base == ".wh..wh..opq":
		return false, unix.Setxattr(dir, "user.overlay.opaque", []byte{'y'}, 0)
	case ok:
		return false, unix.Mknod(filepath.Join(dir, hidden), unix.S_IFCHR, 0)
	}
	return true, nil
}
