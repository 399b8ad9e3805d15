package embedded

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// The lock keeps a state directory to one BuildKit. BuildKit's databases have
// one of their own, but it waits for ever and says nothing. Who starts BuildKit
// takes the lock and passes the open file on to its process: the kernel releases it when
// that has ended, however it did.
const (
	lockFile  = "lock"
	ownerFile = "lock.owner" // who holds it, for messages
)

// tryLock returns nil when another process holds the lock.
func tryLock(root string) (*os.File, error) {
	for _, name := range []string{lockFile, ownerFile} {
		if err := onlyFile(filepath.Join(root, name)); err != nil {
			return nil, fmt.Errorf("locking BuildKit's state: %w", err)
		}
	}
	f, err := os.OpenFile(filepath.Join(root, lockFile), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("locking BuildKit's state: %w", err)
	}
	for {
		switch err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); {
		case err == nil:
			return f, nil
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.EWOULDBLOCK):
			return nil, f.Close()
		default:
			return nil, errors.Join(fmt.Errorf("locking BuildKit's state: %w", err), f.Close())
		}
	}
}

// onlyFile removes what is in a file's place and is none.
func onlyFile(path string) error {
	info, err := os.Lstat(path)
	if err != nil || info.Mode().IsRegular() {
		return nil
	}
	return os.RemoveAll(path)
}

// writeOwner writes down whose process holds the lock.
func writeOwner(root string, pid int) error {
	text := fmt.Sprintf("process %d (BuildKit, started by %s)", pid, commandLine())
	if err := os.WriteFile(filepath.Join(root, ownerFile), []byte(text), 0o600); err != nil {
		return fmt.Errorf("locking BuildKit's state: %w", err)
	}
	return nil
}

// owner describes who holds the lock, as far as it is known.
func owner(root string) string {
	text, err := os.ReadFile(filepath.Join(root, ownerFile))
	if err != nil || len(text) == 0 {
		return "another process"
	}
	return string(text)
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
