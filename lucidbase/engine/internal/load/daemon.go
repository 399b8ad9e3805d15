package load

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/lucid-project/base-images/internal/docker"
	"github.com/lucid-project/base-images/lucidbase/engine/internal/image"
)

// daemon is a Docker or Podman that answers.
type daemon struct {
	*docker.Daemon
	http     http.Client
	kind     string // "Docker" or "Podman"
	platform ocispecs.Platform
}

// answerTime is how long a daemon may take for a small answer.
const answerTime = 15 * time.Second

// openDaemon asks a daemon what it is.
func openDaemon(ctx context.Context, at *docker.Daemon) (Store, error) {
	d := &daemon{Daemon: at, kind: "Docker"}
	d.http.Transport = &http.Transport{
		DialContext:         func(ctx context.Context, _, _ string) (net.Conn, error) { return at.Dial(ctx) },
		MaxIdleConnsPerHost: asked,
	}
	s, err := d.open(ctx)
	if err != nil {
		d.http.CloseIdleConnections()
		return nil, err
	}
	return s, nil
}

// oldestAPI is Docker 20.10's.
const oldestAPI = "1.41"

func (d *daemon) open(ctx context.Context) (Store, error) {
	var version struct {
		Version, ApiVersion, Os, Arch string //nolint:revive,staticcheck // Docker's own names
		Components                    []struct{ Name string }
	}
	if err := d.get(ctx, "/version", &version); err != nil {
		return nil, err
	}
	d.platform = ocispecs.Platform{OS: version.Os, Architecture: version.Arch}
	for _, c := range version.Components {
		if c.Name == "Podman Engine" {
			d.kind = "Podman"
			return &podman{d}, nil
		}
	}
	if older(version.ApiVersion, oldestAPI) {
		return nil, fmt.Errorf("%s: Docker %s is too old: 20.10 is needed", d.Address, version.Version)
	}
	var info struct{ DriverStatus [][2]string }
	if err := d.get(ctx, "/info", &info); err != nil {
		return nil, err
	}
	if slices.Contains(info.DriverStatus, [2]string{"driver-type", "io.containerd.snapshotter.v1"}) {
		return &containerdStore{d}, nil
	}
	return &classicStore{d}, nil
}

// older compares versions of Docker's API, such as "1.41".
func older(a, b string) bool {
	var x, y [2]int
	if _, err := fmt.Sscanf(a, "%d.%d", &x[0], &x[1]); err != nil {
		return false
	}
	_, err := fmt.Sscanf(b, "%d.%d", &y[0], &y[1])
	return err == nil && slices.Compare(x[:], y[:]) < 0
}

func (d *daemon) String() string { return d.kind + " at " + d.Address }

// Close drops connections.
func (d *daemon) Close() error {
	d.http.CloseIdleConnections()
	return nil
}

// answerError says that a daemon answered with an error.
type answerError struct {
	daemon  string
	status  int
	message string
}

func (e *answerError) Error() string { return e.daemon + ": " + e.message }

// Is reports whether the daemon says that its disk is full.
func (e *answerError) Is(target error) bool {
	return target == syscall.ENOSPC && strings.Contains(e.message, "no space left on device")
}

// flat is text in one line.
func flat(text string) string { return strings.Join(strings.Fields(text), " ") }

// get asks for a small answer.
func (d *daemon) get(ctx context.Context, path string, into any) error {
	patient, cancel := context.WithTimeoutCause(ctx, answerTime, fmt.Errorf("%s: no answer in %s", d.Address, answerTime))
	defer cancel()
	resp, err := d.do(patient, http.MethodGet, path, nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(io.LimitReader(resp.Body, 64<<20)).Decode(into); err != nil {
		return d.failed(patient, fmt.Errorf("reading its answer to %s: %w", path, err))
	}
	return nil
}

// do asks, and makes an error of what is no success.
func (d *daemon) do(ctx context.Context, method, path string, body io.Reader) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, "http://docker"+path, body)
	if err != nil {
		return nil, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/x-tar")
	}
	resp, err := d.http.Do(req)
	if err != nil {
		return nil, d.failed(ctx, err)
	}
	if resp.StatusCode == http.StatusOK {
		return resp, nil
	}
	defer resp.Body.Close()
	said, _ := io.ReadAll(io.LimitReader(resp.Body, 4<<10)) // what there is of it is shown
	var answer struct{ Message string }
	if json.Unmarshal(said, &answer) != nil || answer.Message == "" {
		answer.Message = resp.Status
	}
	return nil, &answerError{d.String(), resp.StatusCode, flat(answer.Message)}
}

// failed names the daemon, and not the request.
func (d *daemon) failed(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	var request *url.Error
	if errors.As(err, &request) {
		err = request.Err
	}
	if errors.As(err, new(*docker.Error)) {
		return err // it names the daemon
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = errors.New("it ended the connection")
	}
	return fmt.Errorf("%s: %w", d, err)
}

// load sends a tar that write writes.
func (d *daemon) load(ctx context.Context, write func(io.Writer) error) error {
	r, w := io.Pipe()
	written := make(chan error, 1)
	go func() {
		err := write(w)
		w.CloseWithError(err)
		written <- err
	}()
	err := d.sent(ctx, struct{ io.Reader }{r}) // the transport would close it without a reason
	r.CloseWithError(errNoReader)
	if wrote := <-written; wrote != nil && !errors.Is(wrote, errNoReader) {
		return wrote // what was to be sent is at fault
	}
	return err
}

// errNoReader says that the daemon reads no more.
var errNoReader = errors.New("the daemon reads no more")

// sent sends a tar, and reads what the daemon says about it.
func (d *daemon) sent(ctx context.Context, tar io.Reader) error {
	resp, err := d.do(ctx, http.MethodPost, "/images/load?quiet=1", tar)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	said, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return d.failed(ctx, err)
	}
	for dec := json.NewDecoder(bytes.NewReader(said)); ; {
		var line struct{ Stream, Error string }
		switch err := dec.Decode(&line); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return d.failed(ctx, fmt.Errorf("reading its answer to a load: %w", err))
		case line.Error != "":
			return &answerError{d.String(), resp.StatusCode, flat(line.Error)}
		case strings.HasPrefix(line.Stream, "Error "): // Docker calls this a success
			return &answerError{d.String(), resp.StatusCode, flat(line.Stream)}
		}
	}
}

// confirm finds out whether a name is the image with an ID.
func (d *daemon) confirm(ctx context.Context, tag name.Tag, id string) error {
	var found struct{ ID string }
	if err := d.get(ctx, "/images/"+image.WholeName(tag)+"/json", &found); err != nil {
		return err
	}
	if strings.TrimPrefix(found.ID, "sha256:") != strings.TrimPrefix(id, "sha256:") {
		return fmt.Errorf("%s: %s is %s after loading, not %s", d, tag, found.ID, id)
	}
	return nil
}
