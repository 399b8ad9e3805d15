package embedded

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/gofrs/flock"
)

// stateLock keeps a state directory to one engine. BuildKit's databases have a
// lock of their own, but it waits for ever and says nothing.
type stateLock struct {
	file  *flock.Flock
	owner string // the file that says who holds the lock
	once  sync.Once
}

// The files of the lock.
const (
	lockFile  = "lock"
	ownerFile = "lock.owner"
)

// acquire takes the lock, or waits for it and says for whom.
func acquire(ctx context.Context, dir string, notify func(string)) (*stateLock, error) {
	for _, name := range []string{lockFile, ownerFile} {
		if err := onlyFile(filepath.Join(dir, name)); err != nil {
			return nil, fmt.Errorf("locking BuildKit's state: %w", err)
		}
	}
	l := &stateLock{file: flock.New(filepath.Join(dir, lockFile)), owner: filepath.Join(dir, ownerFile)}
	ok, err := l.file.TryLock()
	if err != nil {
		return nil, fmt.Errorf("locking BuildKit's state: %w", err)
	}
	if !ok {
		line := fmt.Sprintf("waiting for %s that uses %s", l.holder(), dir)
		notify(line)
		if _, err := l.file.TryLockContext(ctx, 50*time.Millisecond); err != nil {
			return nil, fmt.Errorf("%s: %w", line, err)
		}
	}
	me := fmt.Sprintf("process %d (%s)", os.Getpid(), commandLine())
	if err := os.WriteFile(l.owner, []byte(me), 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("locking BuildKit's state: %w", err), l.release())
	}
	return l, nil
}

// onlyFile removes what is in a file's place and is none.
func onlyFile(path string) error {
	info, err := os.Lstat(path)
	if err != nil || info.Mode().IsRegular() {
		return nil
	}
	return os.RemoveAll(path)
}

// holder describes who holds the lock, as far as it is known.
func (l *stateLock) holder() string {
	text, err := os.ReadFile(l.owner)
	if err != nil || len(text) == 0 {
		return "another process"
	}
	return string(text)
}

func (l *stateLock) release() (err error) {
	l.once.Do(func() {
		if removeErr := os.Remove(l.owner); removeErr != nil && !errors.Is(removeErr, fs.ErrNotExist) {
			err = removeErr
		}
		err = errors.Join(err, l.file.Unlock())
	})
	if err != nil {
		return fmt.Errorf("unlocking BuildKit's state: %w", err)
	}
	return nil
}

// commandLine is this process's up to its first flag: a flag may hold a password.
func commandLine() string {
	line := filepath.Base(os.Args[0])
	for _, arg := range os.Args[1:] {
		if strings.HasPrefix(arg, "-") || len(line)+len(arg) > 100 {
			break
		}
		line += " " + strings.Join(strings.Fields(arg), " ")
	}
	return line
}
