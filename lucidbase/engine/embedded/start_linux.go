package embedded

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lucid-project/base-images/internal/reexec"
)

// needsUserns ends the errors of a machine that is not set up for users.
const needsUserns = reexec.NeedsUserns + ", or " + otherWay

// start starts this program again, as BuildKit's process, and becomes its first
// member. The process has its own mount and process namespaces, and is root of
// its own user namespace where this process is not root. However it ends, the
// kernel then ends what runs in them and unmounts what is mounted.
func start(ctx context.Context, root string, lock *os.File) (_ *member, err error) {
	maps, err := reexec.IDMaps()
	if err != nil {
		return nil, fmt.Errorf("%w, or %s", err, otherWay)
	}
	socket, err := listen(root)
	if err != nil {
		return nil, err
	}
	defer socket.Close()
	// The process ends when it has no member. So there is one before it begins.
	conn, err := dial(root)
	if err != nil {
		return nil, fmt.Errorf("reaching BuildKit's process: %w", err)
	}
	m := newMember(root, conn)
	defer func() {
		if err != nil {
			_ = conn.Close()
		}
	}()
	cmd, err := m.run(ctx, maps, socket, lock)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = cmd.Process.Kill() })
	defer stop()
	if err := socket.Close(); err != nil { // it ends with the process
		return nil, err
	}
	if err := m.greet(ctx); err != nil {
		return nil, m.startFailed(ctx, cmd, err)
	}
	return m, nil
}

// run starts the process.
func (m *member) run(ctx context.Context, maps []reexec.IDMap, socket, lock *os.File) (*exec.Cmd, error) {
	stderr, err := createStderr(m.root)
	if err != nil {
		return nil, fmt.Errorf("starting BuildKit's process: %w", err)
	}
	defer stderr.Close()
	mapped, tellMapped, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("starting BuildKit's process: %w", err)
	}
	defer mapped.Close()
	defer tellMapped.Close()
	cmd := childCommand(m.root, len(maps) > 0)
	cmd.Stdin, cmd.Stderr = mapped, stderr
	cmd.ExtraFiles = []*os.File{socket, lock} // socketFD, lockFD
	if err := cmd.Start(); err != nil {
		if len(maps) > 0 {
			return nil, fmt.Errorf("making a user namespace: %w: %s", err, needsUserns)
		}
		return nil, fmt.Errorf("making a mount and a process namespace: %w", err)
	}
	ended := make(chan struct{})
	m.ended = ended
	go func() {
		_ = cmd.Wait() // why it ended, it has said
		close(ended)
	}()
	err = writeOwner(m.root, cmd.Process.Pid)
	for _, m := range maps {
		if err == nil {
			err = m.Apply(ctx, cmd.Process.Pid)
		}
	}
	if err != nil {
		err = fmt.Errorf("%w, or %s", err, otherWay)
	} else if len(maps) > 0 {
		_, err = tellMapped.Write([]byte{1})
	}
	if err != nil {
		_ = cmd.Process.Kill()
		<-ended
	}
	return cmd, err
}

// createStderr makes a file: a pipe would end with whoever reads it.
func createStderr(root string) (*os.File, error) {
	path := filepath.Join(root, stderrFile)
	if err := onlyFile(path); err != nil {
		return nil, err
	}
	return os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
}

// childCommand is this program with the command line that init looks for.
func childCommand(root string, userns bool) *exec.Cmd {
	memory := memoryDir(root)
	cmd := &exec.Cmd{
		Path: "/proc/self/exe",
		Args: []string{childName, stageRoot, root},
		Dir:  "/", // it may outlive whoever starts it, and what that one's was
		// All that is temporary goes where a killed process leaves nothing. runc looks
		// at the second only if the third is not root.
		Env: append(childEnv(os.Environ()), "TMPDIR="+memory, "XDG_RUNTIME_DIR="+memory, "USER="),
		SysProcAttr: &syscall.SysProcAttr{
			Cloneflags: unix.CLONE_NEWNS | unix.CLONE_NEWPID,
			Setsid:     true, // neither Ctrl-C nor the end of a terminal is for it
		},
	}
	if userns {
		cmd.Args[1] = stageMap
		cmd.SysProcAttr.Cloneflags |= unix.CLONE_NEWUSER
	}
	return cmd
}

// machineVariables are about the machine, not about one build: where programs
// are, how the network is reached, Go's own.
var machineVariables = []string{"PATH", "HOME", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR", "GODEBUG", "GOMAXPROCS", "GOMEMLIMIT", "GOGC"}

// childEnv is what BuildKit's process keeps of the environment: it serves others
// than who started it, for longer.
func childEnv(environ []string) []string {
	return slices.DeleteFunc(slices.Clone(environ), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return !slices.Contains(machineVariables, strings.ToUpper(name))
	})
}

// startFailed explains why the process does not run.
func (m *member) startFailed(ctx context.Context, cmd *exec.Cmd, failed error) error {
	select {
	case <-m.ended:
	case <-time.After(stopTime + 2*time.Second):
		_ = cmd.Process.Kill()
		<-m.ended
	}
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	if crash := crashOf(m.root); crash != "" {
		return fmt.Errorf("%w: BuildKit's process crashed on it: %s", errDamaged, crash)
	}
	var op *net.OpError
	if errors.Is(failed, io.EOF) || errors.As(failed, &op) {
		return errKilled
	}
	return failed
}
