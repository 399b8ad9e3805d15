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
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lucid-project/base-images/internal/reexec"
)

// The command line of a child: childName, a stage, the state directory.
const (
	childName     = "lucidbase-buildkit"
	stageMap      = "map"
	stageRoot     = "root"
	stageRootless = "rootless" // root of a user namespace
)

// resetVariable tells a child to begin with nothing.
const resetVariable = "LUCID_BUILDKIT_RESET"

// controlFD is the child's end of the socket pair.
const controlFD = 3

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
		os.Exit(1) // the parent knows why
	}
	os.Exit(0)
}

// becomeRoot waits until the ids are mapped, then starts the program anew: a
// process gets root's capabilities at an exec.
func becomeRoot(root string) error {
	buf := make([]byte, reexec.MaxMessage)
	n, err := unix.Read(controlFD, buf)
	if err != nil {
		return err
	}
	if !strings.HasPrefix(string(buf[:n]), msgMapped) {
		return errStop // or nothing to read any more
	}
	err = unix.Exec("/proc/self/exe", []string{childName, stageRootless, root}, os.Environ())
	_, _ = unix.Write(controlFD, []byte(msgFailed+" starting BuildKit's process anew: "+err.Error()))
	return err
}

// serveChild runs BuildKit until the parent says stop, or is gone.
func serveChild(root string, rootless bool) error {
	unix.CloseOnExec(controlFD)
	conn, err := reexec.Connection(os.NewFile(controlFD, "socket"))
	if err != nil {
		return err
	}
	lis := &listener{link: link{reexec.Link{UnixConn: conn}}, ended: make(chan struct{})}
	s, err := startChild(lis, root, rootless)
	if err != nil {
		word := msgFailed
		if errors.Is(err, errDamaged) {
			word = msgBroken
		}
		return errors.Join(err, lis.Send(word, oneLine(err), nil))
	}
	<-lis.ended
	time.AfterFunc(stopTime+time.Second, func() { os.Exit(1) })
	return s.close()
}

func startChild(lis *listener, root string, rootless bool) (*server, error) {
	if err := prepareNamespace(root, rootless); err != nil {
		if rootless {
			err = fmt.Errorf("%w: %s", err, needsUserns)
		}
		return nil, fmt.Errorf("preparing the namespaces: %w", err)
	}
	// As BuildKit's own daemon does: it makes directories of images and snapshots
	// with the modes that they shall have, and no chmod follows.
	unix.Umask(0)
	warnings.add(func(line string) { _ = lis.Send(msgWarn, line, nil) })
	if os.Getenv(resetVariable) != "" {
		if err := removeState(root); err != nil {
			return nil, err
		}
	}
	s, err := serve(context.Background(), root, lis, rootless)
	if err != nil {
		if !errors.Is(err, errDamaged) && blamesState(err) {
			err = fmt.Errorf("%w: %w", errDamaged, err)
		}
		return nil, err
	}
	return s, lis.Send(msgReady, "", nil)
}

// listener tells when the other side wants an end.
type listener struct {
	link
	ended chan struct{}
	once  sync.Once
}

// Accept waits for a connection. When the parent was killed, so is everything
// here, at once: the next engine may already be waiting for the databases.
func (l *listener) Accept() (net.Conn, error) {
	conn, err := l.link.Accept()
	if errors.Is(err, io.EOF) {
		os.Exit(1)
	}
	if err != nil {
		l.once.Do(func() { close(l.ended) })
	}
	return conn, err
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

func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }
