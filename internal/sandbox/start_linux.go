package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/containerd/continuity/fs"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// running is a container that was started.
type running struct {
	id      string
	dir     string // its bundle
	process specs.Process
	pid     int
	root    *os.File // its root directory
	mounts  *os.File // its mount namespace, which keeps the mounts
	done    chan struct{}
	code    int
}

// start starts a container; files are its standard output and error.
func (s *server) start(ctx context.Context, q request, files []*os.File) error {
	if len(files) != 2 {
		return errors.New("standard output and error are needed")
	}
	c := &running{id: q.Container, dir: filepath.Join(s.settings.Memory, "c", q.Container), done: make(chan struct{})}
	if err := os.MkdirAll(filepath.Dir(c.dir), 0o711); err != nil {
		return err
	}
	if err := os.Mkdir(c.dir, 0o711); err != nil { // also: each name once
		return err
	}
	if err := s.mountRoot(c, q.Layers); err != nil {
		return err
	}
	spec, err := s.spec(c, q)
	if err != nil {
		return err
	}
	text, err := json.Marshal(spec)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(c.dir, "config.json"), text, 0o600); err != nil {
		return err
	}
	c.process = *spec.Process
	if err := s.create(ctx, c, files); err != nil {
		return err
	}
	s.mu.Lock()
	s.running[c.id] = c
	s.mu.Unlock()
	return nil
}

// create makes the container, opens what is needed of it later, and lets its process
// go on: one that ends at once leaves no time for that.
func (s *server) create(ctx context.Context, c *running, files []*os.File) error {
	pidFile := filepath.Join(c.dir, "pid")
	cmd := s.command(ctx, c, "create", "--bundle", c.dir, "--pid-file", pidFile, "--no-new-keyring", c.id)
	cmd.Stdout, cmd.Stderr = files[0], files[1]
	if err := s.run(cmd, c, "create"); err != nil {
		return err
	}
	text, err := os.ReadFile(pidFile)
	if err != nil {
		return err
	}
	if c.pid, err = strconv.Atoi(string(text)); err != nil {
		return err
	}
	proc := filepath.Join("/proc", string(text))
	if c.mounts, err = os.Open(filepath.Join(proc, "ns/mnt")); err != nil {
		return err
	}
	if c.root, err = os.OpenFile(filepath.Join(proc, "root"), unix.O_PATH|unix.O_DIRECTORY, 0); err != nil {
		return err
	}
	if err := s.run(s.command(ctx, c, "start", c.id), c, "start"); err != nil {
		return err
	}
	go c.wait()
	return nil
}

// wait waits for the container's first process, which runc left to this one.
func (c *running) wait() {
	defer close(c.done)
	var status unix.WaitStatus
	for {
		_, err := unix.Wait4(c.pid, &status, 0, nil)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		c.code = status.ExitStatus()
		if status.Signaled() {
			c.code = 128 + int(status.Signal())
		}
		return
	}
}

// exec runs a further process in a container, as its first one runs, and returns the
// exit code.
func (s *server) exec(ctx context.Context, c *running, args []string, files []*os.File) (int, error) {
	if len(files) != 2 {
		return 0, errors.New("standard output and error are needed")
	}
	process := c.process
	process.Args = args
	text, err := json.Marshal(process)
	if err != nil {
		return 0, err
	}
	dir, err := os.MkdirTemp(c.dir, "exec-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "process.json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		return 0, err
	}
	log := filepath.Join(dir, "log")
	cmd := s.commandLog(ctx, log, "exec", "--process", file, c.id)
	cmd.Stdout, cmd.Stderr = files[0], files[1]
	err = cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return 0, err
	}
	if line := lastError(log); line != "" {
		return 0, errors.New(line)
	}
	return cmd.ProcessState.ExitCode(), nil
}

func (s *server) command(ctx context.Context, c *running, args ...string) *exec.Cmd {
	return s.commandLog(ctx, filepath.Join(c.dir, args[0]+".log"), args...)
}

// commandLog is runc, with a list of containers that ends with this process.
func (s *server) commandLog(ctx context.Context, log string, args ...string) *exec.Cmd {
	global := []string{"--root", filepath.Join(s.settings.Memory, "runc"), "--log", log, "--log-format", "json"}
	return exec.CommandContext(ctx, s.runc, append(global, args...)...)
}

// run runs a command of runc, and quotes its log when it fails.
func (s *server) run(cmd *exec.Cmd, c *running, verb string) error {
	err := cmd.Run()
	if err == nil {
		return nil
	}
	if line := lastError(filepath.Join(c.dir, verb+".log")); line != "" {
		return errors.New(strings.TrimPrefix(line, "runc "+verb+" failed: "))
	}
	return fmt.Errorf("runc %s: %w", verb, err)
}

// mountRoot mounts the layers over each other. What is written goes to memory: it is
// runc that makes the places of its mounts before it makes the root read-only.
func (s *server) mountRoot(c *running, layers []string) error {
	var lower []string
	for _, diffID := range slices.Backward(layers) {
		name, err := layerName(diffID)
		if err != nil {
			return err
		}
		link := name[:16]
		if err := os.Symlink(s.layers.path(name), link); err != nil && !errors.Is(err, os.ErrExist) {
			return err
		}
		if !slices.Contains(lower, link) { // overlayfs refuses a directory that is there twice
			lower = append(lower, link)
		}
	}
	for _, dir := range []string{"root", "upper", "work"} {
		if err := os.Mkdir(filepath.Join(c.dir, dir), 0o755); err != nil {
			return err
		}
	}
	options := fmt.Sprintf("lowerdir=%s,upperdir=c/%s/upper,workdir=c/%s/work,userxattr", strings.Join(lower, ":"), c.id, c.id)
	if err := unix.Mount("overlay", c.rootfs(), "overlay", 0, options); err != nil {
		return fmt.Errorf("mounting %d layers by overlayfs: %w", len(lower), err)
	}
	return nil
}

func (c *running) rootfs() string { return filepath.Join(c.dir, "root") }

// volume returns a directory for a declared volume, with what the image has there:
// files, owner and mode, as Docker does. What the image does not have is root's.
func (c *running) volume(number int, target string) (string, error) {
	dir := filepath.Join(c.dir, "volume"+strconv.Itoa(number))
	source, err := fs.RootPath(c.rootfs(), target)
	if err != nil {
		return "", err
	}
	if info, err := os.Stat(source); err != nil || !info.IsDir() {
		return dir, os.Mkdir(dir, 0o755)
	}
	if err := fs.CopyDir(dir, source); err != nil {
		return "", fmt.Errorf("copying %s to a volume: %w", target, err)
	}
	return dir, nil
}
