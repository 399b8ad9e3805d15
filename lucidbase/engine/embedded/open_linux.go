package embedded

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/lucid-project/base-images/lucidbase/engine"
)

func init() {
	ownLog()
	if len(os.Args) == 3 && os.Args[0] == childName {
		runChild(os.Args[1], os.Args[2])
	}
}

// Open starts BuildKit with its state below c.StateDir, in a directory of the
// user's own: the same file has another owner in a user namespace. If another
// process uses that directory, Open waits until it is done or ctx ends.
func Open(ctx context.Context, c engine.BackendConfig) (engine.Backend, error) {
	if c.Notify == nil {
		c.Notify = func(string) {}
	}
	if c.Warn == nil {
		c.Warn = func(string) {}
	}
	root, err := stateRoot(c.StateDir)
	if err != nil {
		return nil, err
	}
	lock, err := acquire(ctx, root, c.Notify)
	if err != nil {
		return nil, err
	}
	backend, err := start(ctx, root, c.Warn, c.Reset)
	if errors.Is(err, errDamaged) && !c.Reset {
		c.Notify(fmt.Sprintf("BuildKit's state in %s is made again: %s", root, oneLine(err)))
		backend, err = start(ctx, root, c.Warn, true)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("starting BuildKit in %s: %w", root, err), lock.release())
	}
	return &locked{Backend: backend, lock: lock}, nil
}

// stateRoot makes the directory and gives it without symbolic links, as the
// kernel names it in a list of mounts.
func stateRoot(stateDir string) (string, error) {
	root, err := filepath.Abs(filepath.Join(stateDir, "uid-"+strconv.Itoa(os.Geteuid())))
	if err != nil {
		return "", fmt.Errorf("making BuildKit's state directory: %w", err)
	}
	// Private: files below it have every mode, and are owned by anyone.
	if err := os.MkdirAll(root, 0o700); err != nil {
		return "", fmt.Errorf("making BuildKit's state directory: %w", err)
	}
	if root, err = filepath.EvalSymlinks(root); err != nil {
		return "", fmt.Errorf("making BuildKit's state directory: %w", err)
	}
	return root, nil
}

// locked is a Backend that keeps its state directory to itself.
type locked struct {
	engine.Backend
	lock *stateLock
}

// Close stops BuildKit, then lets the next process in.
func (l *locked) Close() error {
	return errors.Join(l.Backend.Close(), l.lock.release())
}
