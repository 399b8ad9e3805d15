package dockerbox

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
	"strings"

	"github.com/lucid-project/base-images/internal/docker"
)

// api is Docker's HTTP API, as far as a Box needs it.
type api struct {
	daemon *docker.Daemon
	http   http.Client
}

func newAPI(d *docker.Daemon) *api {
	a := &api{daemon: d}
	a.http.Transport = &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return d.Dial(ctx) }}
	return a
}

// apiError is that Docker answered with an error.
type apiError struct {
	status  int
	message string
}

// Error is what Docker said.
func (e *apiError) Error() string { return "Docker: " + e.message }

// is reports whether an error is an answer with a status.
func is(err error, status int) bool {
	var answer *apiError
	return errors.As(err, &answer) && answer.status == status
}

// call sends JSON, unless in is nil, and reads JSON, unless out is.
func (a *api) call(ctx context.Context, method, path string, in, out any) error {
	resp, err := a.do(ctx, method, path, in)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if out == nil {
		return nil
	}
	if err := json.NewDecoder(resp.Body).Decode(out); err != nil {
		return fmt.Errorf("reading Docker's answer to %s: %w", path, err)
	}
	return nil
}

// open returns an answer that is read later.
func (a *api) open(ctx context.Context, method, path string) (io.ReadCloser, error) {
	resp, err := a.do(ctx, method, path, nil)
	if err != nil {
		return nil, err
	}
	return resp.Body, nil
}

func (a *api) do(ctx context.Context, method, path string, in any) (*http.Response, error) {
	var body io.Reader
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://docker"+path, body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := a.http.Do(req)
	if err != nil {
		var request *url.Error
		if errors.As(err, &request) {
			err = request.Err // the address says nothing
		}
		return nil, err
	}
	if resp.StatusCode < http.StatusBadRequest {
		return resp, nil
	}
	defer resp.Body.Close()
	said, _ := io.ReadAll(io.LimitReader(resp.Body, 4<<10)) // what there is of it is shown
	var answer struct{ Message string }
	if json.Unmarshal(said, &answer) != nil || answer.Message == "" {
		answer.Message = resp.Status
	}
	return nil, &apiError{resp.StatusCode, strings.Join(strings.Fields(answer.Message), " ")}
}

// filters is the value of that query parameter.
func filters(key, value string) string {
	text, _ := json.Marshal(map[string][]string{key: {value}}) // of strings, which JSON can say
	return "filters=" + url.QueryEscape(string(text))
}

// attach returns the connection that a POST has become.
func (a *api) attach(ctx context.Context, path string, in any) (net.Conn, error) {
	text, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	return a.daemon.Upgrade(ctx, path, "tcp", http.Header{"Content-Type": {"application/json"}}, bytes.NewReader(text))
}
