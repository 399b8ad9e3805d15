package sandbox

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofrs/flock"
)

// unusedTime is after which time a layer is removed that nobody has used.
const unusedTime = 14 * 24 * time.Hour

// counter counts what is written to it.
type counter int64

// Write implements io.Writer.
func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

// Layers lists the unpacked layers in the directory that sandboxes of this user have
// as their CacheDir.
func Layers(cacheDir string) ([]Layer, error) {
	dirs, err := cacheDirs(cacheDir)
	if err != nil {
		return nil, err
	}
	store := layerStore{dir: dirs.Layers}
	return store.list(), nil
}

// Remove removes unpacked layers, by diff ID, and returns those that stay because a
// container uses them.
func Remove(ctx context.Context, cacheDir string, diffIDs []string) (inUse []Layer, err error) {
	if len(diffIDs) == 0 {
		return nil, nil
	}
	dirs, err := cacheDirs(cacheDir)
	if err != nil {
		return nil, err
	}
	if os.Geteuid() == 0 {
		err = (&layerStore{dir: dirs.Layers}).removeAll(diffIDs)
	} else {
		err = removeRootless(ctx, cacheDir, diffIDs)
	}
	if err != nil {
		return nil, fmt.Errorf("removing unpacked layers: %w", err)
	}
	left := (&layerStore{dir: dirs.Layers}).list()
	return slices.DeleteFunc(left, func(l Layer) bool { return !slices.Contains(diffIDs, l.DiffID) }), nil
}

// removeRootless has a sandbox remove them: below are files of other users of its user
// namespace.
func removeRootless(ctx context.Context, cacheDir string, diffIDs []string) error {
	s, err := Open(ctx, Config{CacheDir: cacheDir, Architecture: runtime.GOARCH})
	if err != nil {
		return err
	}
	defer s.Close()
	_, _, err = s.call(ctx, request{Do: doRemove, Layers: diffIDs})
	return err
}

// list lists the layers that are there.
func (l *layerStore) list() []Layer {
	var layers []Layer
	for _, lock := range l.locks() {
		name := strings.TrimSuffix(filepath.Base(lock), ".lock")
		if _, err := os.Stat(l.path(name)); err != nil {
			continue
		}
		info, err := os.Stat(lock)
		if err != nil {
			continue
		}
		text, _ := os.ReadFile(lock)
		size, err := strconv.ParseInt(string(text), 10, 64)
		if err != nil {
			size = sizeOf(l.path(name)) // unpacked when no size was written
		}
		layers = append(layers, Layer{DiffID: "sha256:" + name, Size: size, Used: info.ModTime()})
	}
	return layers
}

func (l *layerStore) locks() []string {
	locks, _ := filepath.Glob(filepath.Join(l.dir, "*.lock")) // the pattern is well-formed
	return locks
}

// sizeOf is the size of the files below a directory that this user may look at.
func sizeOf(dir string) (size int64) {
	_ = filepath.WalkDir(dir, func(_ string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return nil
		}
		if info, err := d.Info(); err == nil {
			size += info.Size()
		}
		return nil
	})
	return size
}

// sweep removes layers that have not been used for long.
func (l *layerStore) sweep() {
	for _, file := range l.locks() {
		if info, err := os.Stat(file); err == nil && time.Since(info.ModTime()) >= unusedTime {
			l.removeUnused(file)
		}
	}
}

// removeAll removes layers, by diff ID, unless they are in use.
func (l *layerStore) removeAll(diffIDs []string) error {
	for _, diffID := range diffIDs {
		name, err := layerName(diffID)
		if err != nil {
			return err
		}
		l.removeUnused(l.path(name) + ".lock")
	}
	return nil
}

// removeUnused removes the layer of a lock that nobody holds.
func (l *layerStore) removeUnused(file string) {
	lock := flock.New(file)
	if alone, err := lock.TryLock(); err != nil || !alone {
		return
	}
	l.remove(strings.TrimSuffix(filepath.Base(file), ".lock"))
	_ = lock.Unlock()
}

// remove removes a layer whose lock is held. Half a layer has another name. The lock
// stays: somebody may wait for it.
func (l *layerStore) remove(name string) {
	part := l.path(name) + ".part"
	_ = os.RemoveAll(part)
	if os.Rename(l.path(name), part) == nil {
		_ = os.RemoveAll(part) // else the next who unpacks it does
	}
}
