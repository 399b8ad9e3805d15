package cli

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/spf13/cobra"

	"github.com/lucid-project/base-images/internal/sandbox"
)

// exitError is the exit code of a container's process: the process has said what there is
// to say.
type exitError int

func (e exitError) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// runFlags are the flags of run.
type runFlags struct {
	engineFlags
	file     fileFlag
	platform string
	target   ocispecs.Platform // of platform
	port     string
	env      []string
	envFiles []string
	mounts   []string
}

func newRun(s Streams, own []image) *cobra.Command {
	r := runFlags{file: fileFlag{own: own}}
	cmd := &cobra.Command{
		Use:   "run IMAGE|LAYOUT|REFERENCE [-- ARGS...]",
		Short: "Run an image as production does, without Docker",
		Long: "Run an image by runc, on Linux: one of build's (with -f a service), of a layout or archive, or of a registry. Its root is\n" +
			"read-only, it has no capabilities and, but for --port, no network. ARGS take the place of the image's\n" +
			"command. Ctrl-C stops it; its exit code becomes the command's.",
		Args: func(cmd *cobra.Command, args []string) error {
			if n := cmd.ArgsLenAtDash(); n != 1 && (n >= 0 || len(args) != 1) {
				return usagef("one image is needed; arguments for it come after --")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return r.run(cmd.Context(), s, args[0], args[1:])
		},
	}
	f := cmd.Flags()
	f.StringVar(&r.platform, "platform", "", "platform of the image, emulated where it is not this machine's (default this machine's, or else the first)")
	f.StringVar(&r.port, "port", "", "port of 127.0.0.1 that leads to the service's: HERE, or HERE:THERE where the image does not say (default any free one)")
	f.StringArrayVar(&r.env, "env", nil, "environment variable NAME=VALUE, or NAME as it is here; may be repeated")
	f.StringArrayVar(&r.envFiles, "env-file", nil, "file with a variable a line; may be repeated")
	f.StringArrayVar(&r.mounts, "mount", nil, "file or directory to show read-only, as SOURCE:TARGET; may be repeated")
	r.add(f)
	r.file.add(f)
	return cmd
}

func (r *runFlags) run(ctx context.Context, s Streams, arg string, args []string) error {
	var c sandbox.Container
	if len(args) > 0 {
		c.Args = args
	}
	err := r.checkPort()
	if err != nil {
		return err
	}
	if err := r.setTarget(); err != nil {
		return err
	}
	if c.Env, err = r.environment(s.Getenv); err != nil {
		return err
	}
	if c.Mounts, err = parseMounts(r.mounts); err != nil {
		return err
	}
	img, release, err := r.image(ctx, s, arg)
	if err != nil {
		return err
	}
	defer func() { _ = release() }() // it was only read
	c.Image = img
	config, err := img.ConfigFile()
	if err != nil {
		return fmt.Errorf("reading %s: %w", arg, err)
	}
	c.Name = sandbox.HostName(config.Config)
	dir, err := r.sandboxDir()
	if err != nil {
		return err
	}
	box, err := sandbox.Open(ctx, sandbox.Config{CacheDir: dir, Names: []string{c.Name}, Architecture: config.Architecture})
	if err != nil {
		return err
	}
	defer box.Close()
	return r.start(ctx, s, box, c, config.Config)
}

// sandboxDir is lucidtest's, so that both unpack a layer once.
func (r *runFlags) sandboxDir() (string, error) {
	if r.cacheDir != "" {
		return filepath.Join(r.cacheDir, "sandbox"), nil
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("finding the cache directory: %w", err)
	}
	return filepath.Join(dir, "lucidbase", "sandbox"), nil
}

// start runs the container until it ends, or ctx does.
func (r *runFlags) start(ctx context.Context, s Streams, box *sandbox.Sandbox, c sandbox.Container, config v1.Config) error {
	var outputs []<-chan struct{}
	for _, o := range []struct {
		to   io.Writer
		file **os.File
	}{{s.Out, &c.Stdout}, {s.Err, &c.Stderr}} {
		file, ended, err := pipe(o.to)
		if err != nil {
			return err
		}
		defer file.Close()
		*o.file = file
		outputs = append(outputs, ended)
	}
	p, err := box.Start(ctx, c)
	if err != nil {
		return err
	}
	_, _ = c.Stdout.Close(), c.Stderr.Close()
	lis, err := r.publish(ctx, dialer(s, p), config, c.Env)
	if err != nil {
		return err
	}
	if lis != nil {
		defer lis.Close()
		fmt.Fprintf(s.Err, "lucidbase: http://%s\n", lis.Addr())
	}
	if err := untilEnd(ctx, p, cmp.Or(config.StopSignal, "SIGTERM")); err != nil {
		return err
	}
	for _, ended := range outputs {
		select {
		case <-ended:
		case <-time.After(time.Second): // a process that was left behind may hold it
		}
	}
	code, err := p.ExitCode()
	if err != nil || code == 0 {
		return err
	}
	if lis != nil && ctx.Err() == nil { // nobody has asked it to
		fmt.Fprintf(s.Err, "lucidbase: %s ended with exit code %d\n", c.Name, code)
	}
	return exitError(code)
}

// stopTime is how long a container has between the stop signal and its end.
const stopTime = 10 * time.Second

func untilEnd(ctx context.Context, p *sandbox.Process, stop string) error {
	select {
	case <-p.Done():
		return nil
	case <-ctx.Done():
	}
	ctx = context.WithoutCancel(ctx)
	if err := p.Signal(ctx, stop); err != nil {
		return err
	}
	select {
	case <-p.Done():
		return nil
	case <-time.After(stopTime):
	}
	if err := p.Signal(ctx, "SIGKILL"); err != nil {
		return err
	}
	<-p.Done()
	return nil
}

// pipe returns a file whose content goes to w; ended is closed after its last byte.
func pipe(w io.Writer) (file *os.File, ended <-chan struct{}, err error) {
	read, write, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer read.Close()
		_, _ = io.Copy(w, read) // who reads our output may have ended
	}()
	return write, done, nil
}

// publish makes the service's port one of this machine. A service without a port that
// was not asked for one has none.
func (r *runFlags) publish(ctx context.Context, dial sandbox.Dialer, config v1.Config, env []string) (net.Listener, error) {
	here, there, _ := strings.Cut(r.port, ":")
	if there == "" {
		var err error
		if there, err = sandbox.Port(config, env); err != nil {
			if r.port == "" {
				return nil, nil
			}
			return nil, usagef("--port %s: %w; --port %s:THERE", r.port, err, here)
		}
	}
	lis, err := sandbox.Publish(ctx, net.JoinHostPort("127.0.0.1", cmp.Or(here, "0")), net.JoinHostPort(sandbox.HostName(config), there), dial)
	if err != nil {
		return nil, fmt.Errorf("--port %s: %w", r.port, err)
	}
	return lis, nil
}

// dialer connects to the container, and says why where nobody answers: who asks from
// outside sees a connection that ends. What is said does not change until the container
// listens elsewhere, and is said once.
func dialer(s Streams, p *sandbox.Process) sandbox.Dialer {
	var mu sync.Mutex
	var said string
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := p.DialContext(ctx, network, address)
		if err == nil {
			return conn, nil
		}
		line := fmt.Sprintf("lucidbase: nobody answers at %s", address)
		if list, err := p.Listening(ctx); err == nil {
			line += ": " + sandbox.Listeners(list)
		}
		mu.Lock()
		defer mu.Unlock()
		if line != said {
			fmt.Fprintln(s.Err, line)
			said = line
		}
		return nil, err
	}
}
