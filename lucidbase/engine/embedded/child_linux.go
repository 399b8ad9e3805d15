package embedded

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// The command line of a child: childName, a stage, the state directory.
const (
	childName  = "lucidbase-buildkit"
	stageMap   = "map"
	stageServe = "serve"
)

// controlFD is the child's end of the socket pair.
const controlFD = 3

// runChild never reaches main: any program that imports this package can be a
// child.
func runChild(stage, root string) {
	run := serveChild
	if stage == stageMap {
		run = becomeRoot
	}
	if err := run(root); err != nil {
		os.Exit(1) // the parent knows why
	}
	os.Exit(0)
}

// becomeRoot waits until the ids are mapped, then starts the program anew: a
// process gets root's capabilities at an exec.
func becomeRoot(root string) error {
	buf := make([]byte, maxMessage)
	n, err := unix.Read(controlFD, buf)
	if err != nil {
		return err
	}
	if !strings.HasPrefix(string(buf[:n]), msgMapped) {
		return errStop // or nothing to read any more
	}
	err = unix.Exec("/proc/self/exe", []string{childName, stageServe, root}, os.Environ())
	_, _ = unix.Write(controlFD, []byte(msgFailed+" starting BuildKit's process anew: "+err.Error()))
	return err
}

// serveChild runs BuildKit until the parent says stop, or is gone.
func serveChild(root string) error {
	unix.CloseOnExec(controlFD)
	conn, err := connection(os.NewFile(controlFD, "socket"))
	if err != nil {
		return err
	}
	lis := &listener{link: link{conn}, ended: make(chan struct{})}
	s, err := startChild(lis, root)
	if err != nil {
		return errors.Join(err, lis.send(msgFailed, oneLine(err), nil))
	}
	<-lis.ended
	time.AfterFunc(stopTime+time.Second, func() { os.Exit(1) })
	return s.close()
}

func startChild(lis *listener, root string) (*server, error) {
	if err := prepareNamespace(root); err != nil {
		return nil, fmt.Errorf("preparing the user namespace: %w: %s", err, needsUserns)
	}
	unix.Umask(0) // as clearUmask, in a process that has no one else in it
	warnings.add(func(line string) { _ = lis.send(msgWarn, line, nil) })
	s, err := serve(context.Background(), root, lis, true)
	if err != nil {
		return nil, err
	}
	return s, lis.send(msgReady, "", nil)
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

// prepareNamespace hides mounts from the rest of the machine, and makes /proc
// show this namespace's processes.
func prepareNamespace(root string) error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("making mounts private: %w", err)
	}
	if err := unix.Mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		return fmt.Errorf("mounting /proc: %w", err)
	}
	return os.MkdirAll(runtimeDir(root), 0o700)
}

func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }
