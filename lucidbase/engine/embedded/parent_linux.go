package embedded

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lucid-project/base-images/internal/reexec"
	"github.com/lucid-project/base-images/lucidbase/engine"
)

// needsUserns ends the errors of a machine that is not set up for users.
const needsUserns = reexec.NeedsUserns + ", or " + otherWay

// inNamespace is BuildKit in a child process that has its own mount and process
// namespaces, and is root of its own user namespace where this process is not
// root. Whatever ends this process or the child, the kernel then ends what runs
// in them and unmounts what is mounted.
type inNamespace struct {
	root string
	cmd  *exec.Cmd
	link link
	done chan struct{} // closed when the child is gone
	once sync.Once
}

// start starts this program again, as the child; with reset, from nothing.
func start(ctx context.Context, root string, warn func(string), reset bool) (_ engine.Backend, err error) {
	maps, err := reexec.IDMaps()
	if err != nil {
		return nil, fmt.Errorf("%w, or %s", err, otherWay)
	}
	ours, theirs, err := reexec.SocketPair(unix.SOCK_SEQPACKET)
	if err != nil {
		return nil, err
	}
	defer theirs.Close()
	conn, err := reexec.Connection(ours)
	if err != nil {
		return nil, err
	}
	b := &inNamespace{root: root, cmd: childCommand(root, theirs, warn), link: link{reexec.Link{UnixConn: conn}}, done: make(chan struct{})}
	if reset {
		b.cmd.Env = append(b.cmd.Env, resetVariable+"=1")
	}
	if len(maps) > 0 {
		mapped(b.cmd)
	}
	if err := b.cmd.Start(); err != nil {
		conn.Close()
		if len(maps) > 0 {
			return nil, fmt.Errorf("making a user namespace: %w: %s", err, needsUserns)
		}
		return nil, fmt.Errorf("making a mount and a process namespace: %w", err)
	}
	theirs.Close() // the child's end ends with the child
	go func() {
		_ = b.cmd.Wait() // why it ended, it has said
		close(b.done)
	}()
	stop := context.AfterFunc(ctx, func() { _ = b.cmd.Process.Kill() })
	defer stop()
	if err := b.handshake(ctx, maps); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	go b.passWarnings(warn)
	return b, nil
}

// childCommand is this program with the command line that init looks for.
func childCommand(root string, socket *os.File, warn func(string)) *exec.Cmd {
	memory := memoryDir(root)
	return &exec.Cmd{
		Path: "/proc/self/exe",
		Args: []string{childName, stageRoot, root},
		// All that is temporary goes where a killed child leaves nothing. runc looks
		// at the second only if the third is not root.
		Env:        append(os.Environ(), "TMPDIR="+memory, "XDG_RUNTIME_DIR="+memory, "USER="),
		Stderr:     &firstLine{warn: warn},
		ExtraFiles: []*os.File{socket}, // becomes controlFD
		WaitDelay:  time.Second,
		SysProcAttr: &syscall.SysProcAttr{
			Cloneflags: unix.CLONE_NEWNS | unix.CLONE_NEWPID,
			Setpgid:    true, // Ctrl-C is for this process: it tells the child
		},
	}
}

// mapped gives a child a user namespace, in which it waits for its ids.
func mapped(cmd *exec.Cmd) {
	cmd.Args[1] = stageMap
	cmd.SysProcAttr.Cloneflags |= unix.CLONE_NEWUSER
}

// handshake maps the child's users and groups and waits until BuildKit runs.
func (b *inNamespace) handshake(ctx context.Context, maps []reexec.IDMap) error {
	for _, m := range maps {
		if err := m.Apply(ctx, b.cmd.Process.Pid); err != nil {
			return fmt.Errorf("%w, or %s", err, otherWay)
		}
	}
	if len(maps) > 0 {
		if err := b.link.Send(msgMapped, "", nil); err != nil {
			return fmt.Errorf("starting BuildKit's process: %w", err)
		}
	}
	for {
		message, _, err := b.link.Receive()
		if cause := context.Cause(ctx); cause != nil {
			return cause
		}
		if err != nil {
			return b.died()
		}
		switch word, text, _ := strings.Cut(message, " "); word {
		case msgReady:
			return nil
		case msgFailed:
			return errors.New(text)
		case msgBroken:
			return fmt.Errorf("%w: %s", errDamaged, strings.TrimPrefix(text, errDamaged.Error()+": "))
		}
	}
}

// crashed is the exit status of a Go program that panicked, which databases do
// when they find nonsense.
const crashed = 2

// died waits for the end of a child that did not say why.
func (b *inNamespace) died() error {
	select {
	case <-b.done:
		if b.cmd.ProcessState.ExitCode() == crashed {
			return fmt.Errorf("%w: BuildKit's process crashed on it", errDamaged)
		}
	case <-time.After(stopTime):
	}
	return errors.New("BuildKit's process ended before it was ready")
}

// Damaged reports whether a build failed because the state is damaged, or BuildKit
// crashed.
func (b *inNamespace) Damaged(failed error) bool {
	if damagedBy(b.root, failed.Error()) {
		return true
	}
	select {
	case <-b.done: // a moment after its last call failed
		return b.cmd.ProcessState.ExitCode() == crashed
	case <-time.After(100 * time.Millisecond):
		return false
	}
}

func (b *inNamespace) passWarnings(warn func(string)) {
	for {
		message, _, err := b.link.Receive()
		if err != nil {
			return
		}
		if text, ok := strings.CutPrefix(message, msgWarn+" "); ok {
			warn(text)
		}
	}
}

// Dial connects to BuildKit: the child gets the other end of a socket pair.
func (b *inNamespace) Dial(context.Context) (net.Conn, error) {
	ours, theirs, err := reexec.SocketPair(unix.SOCK_STREAM)
	if err != nil {
		return nil, err
	}
	defer theirs.Close()
	if err := b.link.Send(msgDial, "", theirs); err != nil {
		ours.Close()
		return nil, fmt.Errorf("reaching BuildKit's process: %w", err)
	}
	return reexec.Connection(ours)
}

// Close tells the child to stop, which takes as long as killing a step does.
func (b *inNamespace) Close() error {
	b.once.Do(func() {
		_ = b.link.Send(msgStop, "", nil)
		_ = b.link.CloseWrite() // a child that does not serve yet reads this only
		select {
		case <-b.done:
		case <-time.After(stopTime + time.Second):
			_ = b.cmd.Process.Kill()
			<-b.done
		}
		b.link.Close()
	})
	return nil
}

// firstLine passes on the first line that a child writes, which is none unless it
// crashes: then pages of goroutines follow.
type firstLine struct {
	warn func(line string)
	line []byte
	said bool
}

// Write passes the line on when it is whole.
func (w *firstLine) Write(p []byte) (int, error) {
	if w.said {
		return len(p), nil
	}
	w.line = append(w.line, p...)
	if line, _, ok := bytes.Cut(w.line, []byte("\n")); ok {
		w.said = true
		w.warn("BuildKit: " + string(line))
	}
	return len(p), nil
}
