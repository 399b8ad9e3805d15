package sandbox

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/lucid-project/base-images/internal/reexec"
)

// Sandbox is where containers run. Its methods may be called at once from several
// goroutines.
type Sandbox struct {
	settings settings
	cmd      *exec.Cmd
	link     reexec.Link
	stderr   bytes.Buffer // of a process that crashed
	done     chan struct{}
	once     sync.Once
}

// The command line of the sandbox's process: childName and a stage.
const (
	childName  = "lucidbase-sandbox"
	stageMap   = "map"
	stageServe = "serve"
)

// linkFD is the process's end of the socket pair.
const linkFD = 3

// count makes names of control groups that this process has not used.
var count atomic.Int64

// Open makes a Sandbox. ErrCannotRun means that nothing of the architecture runs here.
func Open(ctx context.Context, c Config) (*Sandbox, error) {
	s, err := open(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("opening a sandbox: %w", err)
	}
	return s, nil
}

func open(ctx context.Context, c Config) (_ *Sandbox, err error) {
	sweepCgroups()
	s := &Sandbox{settings: settings{Config: c, Rootless: os.Geteuid() != 0}, done: make(chan struct{})}
	if s.settings.Emulator, err = findEmulator(c.Architecture); err != nil {
		return nil, err
	}
	if _, err := reexec.FindRunc(s.settings.Rootless); err != nil {
		return nil, err
	}
	if err := s.settings.makeDirs(); err != nil {
		return nil, err
	}
	maps, err := reexec.IDMaps()
	if err != nil {
		return nil, err
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
	s.link = reexec.Link{UnixConn: conn}
	s.cmd = s.command(theirs, len(maps) > 0)
	if err := s.cmd.Start(); err != nil {
		conn.Close()
		return nil, fmt.Errorf("making namespaces: %w: %s", err, reexec.NeedsUserns)
	}
	theirs.Close()
	go func() {
		_ = s.cmd.Wait() // what it has to say, it sends
		close(s.done)
	}()
	stop := context.AfterFunc(ctx, func() { _ = s.cmd.Process.Kill() })
	defer stop()
	if err := s.handshake(ctx, maps); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// cacheDirs returns settings with the directories of a cache. What another user would
// own in them differs, so each has its own.
func cacheDirs(cacheDir string) (s settings, err error) {
	dir, err := filepath.Abs(filepath.Join(cacheDir, "uid-"+strconv.Itoa(os.Geteuid())))
	s.Memory, s.Layers = filepath.Join(dir, "memory"), filepath.Join(dir, "layers")
	return s, err
}

// makeDirs makes the directories of the cache.
func (s *settings) makeDirs() error {
	dirs, err := cacheDirs(s.CacheDir)
	if err != nil {
		return err
	}
	s.Memory, s.Layers = dirs.Memory, dirs.Layers
	for _, d := range []string{s.Memory, s.Layers} {
		// Private: below are files of every mode, and of anyone.
		if err := os.MkdirAll(d, 0o700); err != nil {
			return fmt.Errorf("making the sandbox's cache: %w", err)
		}
	}
	if !s.Rootless {
		s.Cgroup = fmt.Sprintf("%s%d-%d", cgroupPrefix, os.Getpid(), count.Add(1))
	}
	return nil
}

// command is this program with the command line that init looks for.
func (s *Sandbox) command(socket *os.File, mapped bool) *exec.Cmd {
	cmd := &exec.Cmd{
		Path: "/proc/self/exe",
		Args: []string{childName, stageServe},
		// runc looks at the second only if the third is not root.
		Env:        append(os.Environ(), "TMPDIR="+s.settings.Memory, "XDG_RUNTIME_DIR="+s.settings.Memory, "USER="),
		Stderr:     &s.stderr,
		ExtraFiles: []*os.File{socket}, // becomes linkFD
		SysProcAttr: &syscall.SysProcAttr{
			Cloneflags: unix.CLONE_NEWNS | unix.CLONE_NEWPID,
			Setpgid:    true, // Ctrl-C is for this process
		},
	}
	attr := cmd.SysProcAttr
	if !s.settings.HostNetwork {
		attr.Cloneflags |= unix.CLONE_NEWNET
	}
	switch {
	case mapped:
		cmd.Args[1] = stageMap
		attr.Cloneflags |= unix.CLONE_NEWUSER
	case s.settings.Emulator != "":
		// Since Linux 6.7 a user namespace has its own binfmt_misc: the emulator is
		// seen by these containers alone.
		attr.Cloneflags |= unix.CLONE_NEWUSER
		all := []syscall.SysProcIDMap{{Size: 1 << 30}}
		attr.UidMappings, attr.GidMappings, attr.GidMappingsEnableSetgroups = all, all, true
	}
	return cmd
}

// handshake maps the process's users and groups and waits until it is ready.
func (s *Sandbox) handshake(ctx context.Context, maps []reexec.IDMap) error {
	for _, m := range maps {
		if err := m.Apply(ctx, s.cmd.Process.Pid); err != nil {
			return err
		}
	}
	if len(maps) > 0 {
		if err := s.link.Send(msgMapped, "", nil); err != nil {
			return s.died()
		}
	}
	text, err := json.Marshal(s.settings)
	if err != nil {
		return err
	}
	if err := s.link.Send(msgOpen, string(text), nil); err != nil {
		return s.died()
	}
	message, _, err := s.link.Receive()
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	if err != nil {
		return s.died()
	}
	if why, failed := strings.CutPrefix(message, msgFailed+" "); failed {
		return errors.New(why)
	}
	return nil
}

// died waits for a process that ended without a word, and quotes its last.
func (s *Sandbox) died() error {
	_ = s.cmd.Process.Kill()
	<-s.done
	line, _, _ := strings.Cut(s.stderr.String(), "\n")
	return fmt.Errorf("%w: %s %s", errGone, s.cmd.ProcessState, line)
}

// Close ends all containers at once, as kill -9 would.
func (s *Sandbox) Close() error {
	s.once.Do(func() {
		_ = s.cmd.Process.Kill()
		<-s.done
		s.link.Close()
		removeCgroups(s.settings.Cgroup)
	})
	return nil
}
