package embedded

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/lucid-project/base-images/lucidbase/engine"
)

func init() {
	ownLog()
	if len(os.Args) == 3 && os.Args[0] == childName {
		runChild(os.Args[1], os.Args[2])
	}
}

// Open connects to the BuildKit whose state is below c.StateDir, in a directory of
// the user's own: the same file has another owner in a user namespace. If none
// runs there, Open starts it. Where one runs that is not to be shared, another version's,
// Open waits until it has ended or ctx ends.
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
	w := wait{root: root, notify: c.Notify}
	slow := time.AfterFunc(quietTime, func() { w.say(nil) })
	defer slow.Stop()
	for {
		m, joinErr := join(ctx, root)
		if joinErr == nil {
			go m.listen(c.Warn)
			return m, nil
		}
		lock, err := tryLock(root)
		if err != nil {
			return nil, err
		}
		if lock != nil {
			slow.Stop()
			m, err := startRepaired(ctx, root, lock, c.Notify)
			if err != nil {
				return nil, fmt.Errorf("starting BuildKit in %s: %w", root, err)
			}
			go m.listen(c.Warn)
			return m, nil
		}
		if errors.Is(joinErr, errVersion) || errors.Is(joinErr, errStranger) {
			w.say(joinErr)
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("%s: %w", w.line(joinErr), context.Cause(ctx))
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// maxStarts is how often BuildKit starts when it finds its state damaged, or is
// killed.
const maxStarts = 3

// startRepaired starts BuildKit, and again when that may help. It keeps the lock
// for itself in between.
func startRepaired(ctx context.Context, root string, lock *os.File, notify func(string)) (*member, error) {
	defer lock.Close() // the child has it
	for attempt := 1; ; attempt++ {
		reason, err := knownDamage(root)
		if err != nil {
			return nil, err
		}
		if reason != "" {
			notify(fmt.Sprintf("BuildKit's state in %s is made again: %s", root, reason))
		}
		m, err := start(ctx, root, lock)
		again := errors.Is(err, errDamaged) || errors.Is(err, errKilled)
		if !again || attempt == maxStarts || ctx.Err() != nil {
			return m, err
		}
	}
}

// quietTime is how long nothing is said: a start takes less.
const quietTime = time.Second

// wait is for a BuildKit that starts, ends, or is not to be shared.
type wait struct {
	root   string
	notify func(string)
	once   sync.Once
}

// say says it, the first time.
func (w *wait) say(why error) { w.once.Do(func() { w.notify(w.line(why)) }) }

// line says for whom it is, and why unless that shows itself.
func (w *wait) line(why error) string {
	line := fmt.Sprintf("waiting for %s that uses %s", owner(w.root), w.root)
	if errors.Is(why, errVersion) || errors.Is(why, errStranger) {
		line += ": " + why.Error()
	}
	return line
}

// stateRoot makes the directory and returns it without symbolic links, as the
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
