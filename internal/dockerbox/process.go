package dockerbox

import (
	"archive/tar"
	"bufio"
	"bytes"
	"context"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"path"
	"slices"
	"strings"
	"syscall"

	"github.com/lucid-project/base-images/internal/sandbox"
)

// wait notes how the container ended.
func (p *Process) wait(answer io.ReadCloser) {
	defer close(p.done)
	defer answer.Close()
	var end struct {
		StatusCode int
		Error      *struct{ Message string }
	}
	switch err := json.NewDecoder(answer).Decode(&end); {
	case err != nil:
		p.code, p.err = -1, fmt.Errorf("waiting for %s: %w", p.name, err)
	case end.Error != nil && end.Error.Message != "":
		p.code, p.err = -1, errors.New(end.Error.Message)
	default:
		p.code = end.StatusCode
	}
}

// Done is closed when the container has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// ExitCode is that of a container that has ended: see sandbox.Process.
func (p *Process) ExitCode() (int, error) { return p.code, p.err }

// Signal sends a signal, SIGTERM or its number, to the container's first process. One
// that has ended gets none.
func (p *Process) Signal(ctx context.Context, sig string) error {
	err := p.box.api.call(ctx, http.MethodPost, "/containers/"+p.id+"/kill"+query("signal", sig), nil, nil)
	if is(err, http.StatusConflict) || is(err, http.StatusNotFound) {
		return nil
	}
	return err
}

// Exec runs a further program in the container and returns its exit code.
func (p *Process) Exec(ctx context.Context, args []string, stdout, stderr io.Writer) (int, error) {
	return p.box.exec(ctx, p.id, args, stdout, stderr)
}

// noProgramError is that a container has no such program, in runc's words.
type noProgramError string

// Error is what Docker said.
func (e noProgramError) Error() string { return string(e) }

// Docker's exit codes of a program that is not there, or cannot be run.
const (
	cannotRun = 126
	notFound  = 127
)

func (b *Box) exec(ctx context.Context, id string, args []string, out, err io.Writer) (int, error) {
	conn, exec, failed := b.attachExec(ctx, id, args, false)
	if failed != nil {
		return 0, failed
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	var first head
	if err := demux(conn, map[byte]io.Writer{stdout: io.MultiWriter(&first, out), stderr: err}); err != nil {
		return 0, errors.Join(context.Cause(ctx), err)
	}
	var end struct{ ExitCode int }
	if err := b.api.call(ctx, http.MethodGet, "/exec/"+exec+"/json", nil, &end); err != nil {
		return 0, err
	}
	// Docker has no other way to say that it was no program.
	if text := string(first); (end.ExitCode == cannotRun || end.ExitCode == notFound) && strings.HasPrefix(text, "OCI runtime exec failed: ") {
		return 0, noProgramError(strings.Join(strings.Fields(strings.TrimPrefix(text, "OCI runtime exec failed: ")), " "))
	}
	return end.ExitCode, nil
}

// head is the beginning of what is written to it.
type head []byte

// Write implements io.Writer.
func (h *head) Write(p []byte) (int, error) {
	*h = append(*h, p[:min(len(p), 1024-len(*h))]...)
	return len(p), nil
}

// attachExec starts a program in a container, with an input or without.
func (b *Box) attachExec(ctx context.Context, id string, args []string, input bool) (conn net.Conn, exec string, err error) {
	var made struct{ ID string }
	err = b.api.call(ctx, http.MethodPost, "/containers/"+id+"/exec", map[string]any{
		"Cmd": args, "AttachStdin": input, "AttachStdout": true, "AttachStderr": true,
	}, &made)
	if err != nil {
		return nil, "", err
	}
	conn, err = b.api.attach(ctx, "/exec/"+made.ID+"/start", map[string]any{})
	return conn, made.ID, err
}

//go:embed dial.py
var dialScript string

// DialContext connects to HOST:PORT from inside the container, by a program there. HOST is
// localhost, the name of a container or an address.
func (p *Process) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := p.dial(ctx, strings.TrimRight(network, "46"), address)
	if err != nil {
		return nil, fmt.Errorf("dial %s %s: %w", network, address, err)
	}
	return conn, nil
}

func (p *Process) dial(ctx context.Context, network, text string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		return nil, err
	}
	if network != "tcp" && network != "udp" {
		return nil, net.UnknownNetworkError(network)
	}
	if host == "localhost" || host == "" {
		host = "127.0.0.1"
	}
	runner, err := p.python(ctx)
	if err != nil {
		return nil, err
	}
	to, _, err := p.box.attachExec(ctx, runner, []string{"python", "-IS", "-c", dialScript, network, host, port}, true)
	if err != nil {
		return nil, err
	}
	c := newConn(to, address{network, text})
	stop := context.AfterFunc(ctx, func() { c.Close() })
	line, err := readLine(c)
	if !stop() {
		err = context.Cause(ctx)
	} else if err == nil && line != "ok" {
		err = errors.New(line)
	}
	if err != nil {
		c.Close()
		return nil, err
	}
	if network == "udp" {
		return datagrams{c}, nil
	}
	return c, nil
}

// readLine reads up to a line's end and nothing more.
func readLine(r io.Reader) (string, error) {
	var line []byte
	for b := make([]byte, 1); ; {
		if _, err := io.ReadFull(r, b); err != nil {
			return "", fmt.Errorf("the program that connects ended: %w", err)
		}
		if b[0] == '\n' {
			return string(line), nil
		}
		line = append(line, b[0])
	}
}

// maxLinks is how many links are followed, as by Linux.
const maxLinks = 40

// Open opens a file of the container for reading, also after its end; below /tmp, which
// Docker does not show, as long as it runs and has Python.
func (p *Process) Open(ctx context.Context, name string) (io.ReadCloser, error) {
	at := path.Join("/", name)
	if strings.HasPrefix(at, "/tmp/") {
		return p.openByPython(ctx, name)
	}
	for range maxLinks {
		f, link, err := p.openArchive(ctx, at)
		if is(err, http.StatusNotFound) {
			err = &fs.PathError{Op: "open", Path: name, Err: syscall.ENOENT}
		}
		if err != nil || link == "" {
			return f, err
		}
		if at = path.Join(path.Dir(at), link); path.IsAbs(link) {
			at = path.Clean(link)
		}
	}
	return nil, &fs.PathError{Op: "open", Path: name, Err: syscall.ELOOP}
}

// openArchive returns a file, or where a link leads.
func (p *Process) openArchive(ctx context.Context, at string) (f io.ReadCloser, link string, err error) {
	body, err := p.box.api.open(ctx, http.MethodGet, "/containers/"+p.id+"/archive"+query("path", at))
	if err != nil {
		return nil, "", err
	}
	archive := tar.NewReader(bufio.NewReader(body))
	h, err := archive.Next()
	if err == nil && h.Typeflag == tar.TypeReg {
		return struct {
			io.Reader
			io.Closer
		}{archive, body}, "", nil
	}
	body.Close()
	switch {
	case err != nil:
		return nil, "", err
	case h.Typeflag == tar.TypeSymlink:
		return nil, h.Linkname, nil
	}
	return nil, "", fmt.Errorf("open %s: it is no file", at)
}

// readScript prints a file, of which the archive has nothing, as text that an error is
// told from.
const readScript = "import base64, sys; sys.stdout.write(base64.b64encode(open(sys.argv[1], 'rb').read()).decode())"

func (p *Process) openByPython(ctx context.Context, name string) (io.ReadCloser, error) {
	var out, errs bytes.Buffer
	code, err := p.Exec(ctx, []string{"python", "-IS", "-c", readScript, name}, &out, &errs)
	if err != nil {
		return nil, fmt.Errorf("open %s: Docker shows /tmp of a container that runs, to Python in it: %w", name, err)
	}
	if code != 0 {
		return nil, &fs.PathError{Op: "open", Path: name, Err: syscall.ENOENT}
	}
	data, err := base64.StdEncoding.DecodeString(out.String())
	return io.NopCloser(bytes.NewReader(data)), err
}

// Listening lists the addresses that somebody in the container listens on by TCP.
func (p *Process) Listening(ctx context.Context) ([]string, error) {
	runner, err := p.python(ctx)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	const script = "for name in ('tcp', 'tcp6'):\n    print(open('/proc/net/' + name).read())"
	if _, err := p.box.exec(ctx, runner, []string{"python", "-IS", "-c", script}, &out, io.Discard); err != nil {
		return nil, err
	}
	// Docker's own server for names is in the container's network, too.
	return slices.DeleteFunc(sandbox.Listening(&out), func(at string) bool { return strings.HasPrefix(at, "127.0.0.11:") }), nil
}

// errNoPython is that nothing can connect from inside a container.
var errNoPython = errors.New("connecting from inside a container of Docker needs Python in it, or in the service's image")

// python returns the container in which Python runs for a process: its own, or one beside
// it that shares its network.
func (p *Process) python(ctx context.Context) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.runner != "" || errors.Is(p.noRunner, errNoPython) {
		return p.runner, p.noRunner
	}
	switch code, err := p.box.exec(ctx, p.id, []string{"python", "-IS", "-c", ""}, io.Discard, io.Discard); {
	case err == nil && code == 0:
		p.runner, p.noRunner = p.id, nil
	case err == nil:
		return "", fmt.Errorf("running Python in %s: exit code %d", p.name, code)
	case errors.As(err, new(noProgramError)):
		p.runner, p.noRunner = p.box.startHelper(ctx, "container:"+p.id)
	default:
		return "", err
	}
	return p.runner, p.noRunner
}

// startHelper starts a container that has Python, in a network.
func (b *Box) startHelper(ctx context.Context, network string) (id string, err error) {
	ref, err := b.load(ctx, b.helper)
	if err != nil {
		return "", err
	}
	id, err = b.create(ctx, map[string]any{
		"Image":      ref,
		"Entrypoint": []string{"python", "-IS", "-c", "import signal; signal.pause()"},
		"Cmd":        []string{},
		"HostConfig": b.hostConfig(network),
	})
	if err != nil {
		return "", err
	}
	err = b.api.call(ctx, http.MethodPost, "/containers/"+id+"/start", nil, nil)
	switch {
	case is(err, http.StatusBadRequest), is(err, http.StatusNotFound): // runc finds no such program
		return "", fmt.Errorf("%w: %w", errNoPython, err)
	case err != nil:
		return "", err
	}
	return id, nil
}
