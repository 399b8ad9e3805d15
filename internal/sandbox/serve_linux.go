package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/lucid-project/base-images/internal/reexec"
)

func init() {
	if len(os.Args) == 2 && os.Args[0] == childName {
		runChild(os.Args[1])
	}
}

// runChild never reaches main: any program that imports this package can be a
// sandbox's process.
func runChild(stage string) {
	if stage == stageMap {
		becomeRoot()
	} else {
		serve()
	}
	os.Exit(1)
}

// becomeRoot waits until the ids are mapped, then starts the program anew: a process
// gets root's capabilities at an exec.
func becomeRoot() {
	buf := make([]byte, reexec.MaxMessage)
	if n, err := unix.Read(linkFD, buf); err == nil && strings.HasPrefix(string(buf[:n]), msgMapped) {
		err = unix.Exec("/proc/self/exe", []string{childName, stageServe}, os.Environ())
		_, _ = unix.Write(linkFD, []byte(msgFailed+" starting the sandbox's process anew: "+err.Error()))
	}
}

// serve answers calls until the program that started this one is gone; with this
// process, the first of its namespace, the kernel ends all others.
func serve() {
	unix.CloseOnExec(linkFD)
	conn, err := reexec.Connection(os.NewFile(linkFD, "socket"))
	if err != nil {
		return
	}
	link := reexec.Link{UnixConn: conn}
	message, _, err := link.Receive()
	if err != nil {
		return
	}
	s := &server{running: map[string]*running{}}
	if err := s.open(strings.TrimPrefix(message, msgOpen+" ")); err != nil {
		_ = link.Send(msgFailed, strings.Join(strings.Fields(err.Error()), " "), nil)
		return
	}
	if link.Send(msgReady, "", nil) != nil {
		return
	}
	for {
		_, socket, err := link.Receive()
		if err != nil {
			return
		}
		if conn, err := reexec.Connection(socket); err == nil {
			go s.answer(conn)
		}
	}
}

// server is the sandbox's process.
type server struct {
	settings settings
	runc     string
	layers   layerStore
	networks networks

	mu      sync.Mutex
	running map[string]*running // by name
}

// open prepares the namespaces that the process was started in.
func (s *server) open(text string) (err error) {
	if err := json.Unmarshal([]byte(text), &s.settings); err != nil {
		return err
	}
	unix.Umask(0o022) // the containers', too
	if s.runc, err = reexec.FindRunc(s.settings.Rootless); err != nil {
		return err
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("making mounts private: %w", err)
	}
	if err := unix.Mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		return fmt.Errorf("mounting /proc: %w", err)
	}
	memory := s.settings.Memory
	if err := unix.Mount("tmpfs", memory, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=0711"); err != nil {
		return fmt.Errorf("mounting memory at %s: %w", memory, err)
	}
	// Short paths: a mount's options have one page.
	if err := os.Chdir(memory); err != nil {
		return err
	}
	if s.settings.Emulator != "" {
		if err := register(s.settings.Architecture, s.settings.Emulator, filepath.Join(memory, "binfmt")); err != nil {
			return err
		}
	}
	s.layers.dir = s.settings.Layers
	go s.layers.sweep()
	return s.networks.open(s.settings)
}

// answer answers one request.
func (s *server) answer(conn *net.UnixConn) {
	defer conn.Close()
	var q request
	files, err := readMessage(conn, &q)
	if err != nil {
		return
	}
	defer closeAll(files)
	var r reply
	out, err := s.do(q, &r, files)
	if err != nil {
		r.Error = err.Error()
	}
	var outs []*os.File
	if out != nil {
		defer out.Close()
		outs = []*os.File{out}
	}
	_ = writeMessage(conn, r, outs...) // or nobody waits for it any more
}

func (s *server) do(q request, r *reply, files []*os.File) (out *os.File, err error) {
	ctx := context.Background() // ends with the process
	switch q.Do {
	case doMissing:
		r.List, err = s.missing(q.Layers)
		return nil, err
	case doUnpack:
		if len(q.Layers) != 1 || len(files) != 1 {
			return nil, errors.New("a layer and its tar are needed")
		}
		return nil, s.layers.unpack(ctx, q.Layers[0], files[0])
	case doRemove:
		return nil, s.layers.removeAll(q.Layers)
	case doStart:
		return nil, s.start(ctx, q, files)
	}
	c, err := s.find(q.Container)
	if err != nil {
		return nil, err
	}
	switch q.Do {
	case doWait:
		<-c.done
		r.Code = c.code
	case doExec:
		r.Code, err = s.exec(ctx, c, q.Args, files)
	case doSignal:
		err = c.signal(unix.Signal(q.Signal))
	case doDial:
		out, err = s.networks.dial(q.Container, q.Network, q.Address)
	case doOpen:
		out, err = c.open(q.Path)
	case doSockets:
		r.List, err = s.networks.sockets(q.Container)
	default:
		err = fmt.Errorf("%q: not known", q.Do)
	}
	return out, err
}

func (s *server) missing(layers []string) (missing []string, err error) {
	for _, diffID := range layers {
		there, err := s.layers.use(diffID)
		if err != nil {
			return nil, err
		}
		if !there {
			missing = append(missing, diffID)
		}
	}
	return missing, nil
}

func (s *server) find(name string) (*running, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.running[name]; c != nil {
		return c, nil
	}
	return nil, fmt.Errorf("%s was not started", name)
}

// open opens a file of a container, also when the container has ended: its mounts
// are kept.
func (c *running) open(path string) (*os.File, error) {
	how := &unix.OpenHow{Flags: unix.O_RDONLY | unix.O_CLOEXEC | unix.O_NONBLOCK, Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS}
	fd, err := unix.Openat2(int(c.root.Fd()), path, how)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	return os.NewFile(uintptr(fd), path), nil
}

// signal sends a signal to the container's first process, which need not be there.
func (c *running) signal(sig unix.Signal) error {
	select {
	case <-c.done:
		return nil
	default:
		return unix.Kill(c.pid, sig)
	}
}

// lastError reads the message that runc left in its log when it failed.
func lastError(log string) string {
	f, err := os.Open(log)
	if err != nil {
		return ""
	}
	defer f.Close()
	var last string
	for d := json.NewDecoder(f); ; {
		var line struct{ Level, Msg string }
		if err := d.Decode(&line); err != nil {
			return last
		}
		if line.Level == "error" || line.Level == "fatal" {
			last = line.Msg
		}
	}
}
