package embedded

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// The command line of a child: childName, a stage, the state directory.
const (
	childName     = "lucidbase-buildkit"
	stageMap      = "map"
	stageRoot     = "root"
	stageRootless = "rootless" // root of a user namespace
)

// What a child has open from the start.
const (
	mappedFD = 0 // a byte comes when the ids are mapped
	socketFD = 3
	lockFD   = 4 // kept open, as it is the lock
)

// runChild never reaches main: any program that imports this package can be a
// child.
func runChild(stage, root string) {
	var err error
	if stage == stageMap {
		err = becomeRoot(root)
	} else {
		err = serveChild(root, stage == stageRootless)
	}
	if err != nil {
		os.Exit(1) // who started it knows why
	}
	os.Exit(0)
}

// becomeRoot waits until the ids are mapped, then starts the program anew: a
// process gets root's capabilities at an exec.
func becomeRoot(root string) error {
	if n, err := unix.Read(mappedFD, make([]byte, 1)); err != nil || n == 0 {
		return errors.Join(io.EOF, err)
	}
	return unix.Exec("/proc/self/exe", []string{childName, stageRootless, root}, os.Environ())
}

// serveChild runs BuildKit as long as somebody is connected.
func serveChild(root string, rootless bool) error {
	unix.CloseOnExec(lockFD)
	lis, err := inheritedSocket()
	if err != nil {
		return err
	}
	g := newGate(root, lis)
	s, err := startChild(g, root, rootless)
	if err != nil {
		word := msgFailed
		if errors.Is(err, errDamaged) {
			word = msgBroken
			err = errors.Join(err, noteDamage(root, strings.TrimPrefix(err.Error(), errDamaged.Error()+": ")))
		}
		refuse(lis, word, err)
		return err
	}
	go g.admit()
	<-g.ended
	time.AfterFunc(stopTime+time.Second, func() { os.Exit(1) })
	return errors.Join(g.closeSocket(), s.close())
}

func inheritedSocket() (*net.UnixListener, error) {
	f := os.NewFile(socketFD, "socket")
	defer f.Close()
	lis, err := net.FileListener(f)
	if err != nil {
		return nil, err
	}
	return lis.(*net.UnixListener), nil
}

func startChild(g *gate, root string, rootless bool) (*server, error) {
	if err := prepareNamespace(root, rootless); err != nil {
		if rootless {
			err = fmt.Errorf("%w: %s", err, needsUserns)
		}
		return nil, fmt.Errorf("preparing the namespaces: %w", err)
	}
	// As BuildKit's own daemon does: it makes directories of images and snapshots
	// with the modes that they shall have, and no chmod follows.
	unix.Umask(0)
	warnings.passTo(g.warn)
	if err := removeDamaged(root); err != nil {
		return nil, err
	}
	s, err := serve(context.Background(), root, g, rootless)
	if err != nil && !errors.Is(err, errDamaged) && blamesState(err) {
		err = fmt.Errorf("%w: %w", errDamaged, err)
	}
	return s, err
}

// memoryDir is where everything temporary is: what runc and BuildKit know of a
// running step, its secrets and its mounts. For the child it is memory, which
// ends with it; for everybody else it is an empty directory.
func memoryDir(root string) string { return filepath.Join(root, "memory") }

// runcState is where runc, as root, keeps its list of containers.
const runcState = "/run/runc"

// prepareNamespace hides mounts from the rest of the machine, makes /proc show
// this namespace's processes, and mounts the memory.
func prepareNamespace(root string, rootless bool) error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("making mounts private: %w", err)
	}
	if err := unix.Mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		return fmt.Errorf("mounting /proc: %w", err)
	}
	memory := memoryDir(root)
	if info, err := os.Lstat(memory); err == nil && !info.IsDir() {
		_ = os.Remove(memory)
	}
	if err := os.MkdirAll(memory, 0o700); err != nil {
		return err
	}
	if err := unix.Mount("tmpfs", memory, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=0700"); err != nil {
		return fmt.Errorf("mounting memory at %s: %w", memory, err)
	}
	if rootless {
		return nil // runc looks at XDG_RUNTIME_DIR
	}
	containers := filepath.Join(memory, "runc")
	for _, dir := range []string{containers, runcState} {
		if err := os.MkdirAll(dir, 0o711); err != nil {
			return err
		}
	}
	if err := unix.Mount(containers, runcState, "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("mounting memory at %s: %w", runcState, err)
	}
	return nil
}
