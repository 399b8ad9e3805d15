package lucidtest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/lucid-project/base-images/internal/sandbox"
)

// wait is something that a container is ready by.
type wait interface {
	// check finds what is missing in the image.
	check(c *Container) error
	// ready is an error as long as it is not there.
	ready(ctx context.Context, c *Container) error
	// String says what is waited for.
	String() string
}

func (c *Container) checkWaits() error {
	var errs []error
	for _, w := range c.options.waits {
		errs = append(errs, w.check(c))
	}
	return errors.Join(errs...)
}

// The time between two attempts grows from one to the other.
const (
	firstPause = 5 * time.Millisecond
	lastPause  = 100 * time.Millisecond
)

// await waits until w is ready, the container has ended or the time is over.
func (c *Container) await(ctx context.Context, w wait) error {
	limited, cancel := context.WithTimeout(ctx, c.options.timeout)
	defer cancel()
	pause := firstPause
	var last error
	for {
		ended := false
		select {
		case <-c.process.Done():
			ended = true
			c.log.drain()
		default:
		}
		err := w.ready(limited, c)
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return fmt.Errorf("%s: waiting for %s: %w", c.name, w, context.Cause(ctx))
		case ended:
			return fmt.Errorf("%s ended before %s%s", c.name, w, c.tail())
		case limited.Err() == nil:
			last = err // the one at the end says only that time is over
		}
		select {
		case <-limited.Done():
			return fmt.Errorf("%s: no %s within %s: %w%s%s", c.name, w, c.options.timeout, cmpErr(last, err), c.listeners(ctx), c.tail())
		case <-c.process.Done():
		case <-time.After(pause):
			pause = min(2*pause, lastPause)
		}
	}
}

func cmpErr(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

// listeners says what the container listens on, which is what is wrong where nobody
// answers.
func (c *Container) listeners(ctx context.Context) string {
	list, err := c.process.Listening(ctx)
	if err != nil || c.options.network {
		return ""
	}
	return "; " + sandbox.Listeners(list)
}

// port is the service's own.
func (c *Container) port() (string, error) { return sandbox.Port(c.config, c.options.env) }

// httpWait is a path, or a port and a path.
type httpWait string

func (w httpWait) String() string { return "answer to GET " + string(w) }

func (w httpWait) check(c *Container) error {
	if !strings.HasPrefix(string(w), "/") && !strings.HasPrefix(string(w), ":") {
		return fmt.Errorf("WaitHTTP(%q): not a path, /..., or a port and a path, :8000/...", string(w))
	}
	_, err := w.url(c)
	if err != nil {
		return fmt.Errorf("WaitHTTP(%q): %w; write WaitHTTP(%q)", string(w), err, ":8000"+string(w))
	}
	return nil
}

func (w httpWait) url(c *Container) (string, error) {
	if strings.HasPrefix(string(w), ":") {
		return "http://" + c.name + string(w), nil
	}
	port, err := c.port()
	return "http://" + net.JoinHostPort(c.name, port) + string(w), err
}

func (w httpWait) ready(ctx context.Context, c *Container) error {
	url, err := w.url(c)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	client := &http.Client{
		Transport:     &http.Transport{DialContext: c.process.DialContext, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	res.Body.Close()
	if res.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("GET %s: %s", url, res.Status)
	}
	return nil
}

type portWait string

func (w portWait) String() string         { return "listener on port " + string(w) }
func (w portWait) check(*Container) error { return nil }

func (w portWait) ready(ctx context.Context, c *Container) error {
	conn, err := c.process.DialContext(ctx, "tcp", net.JoinHostPort(c.name, string(w)))
	if err != nil {
		return err
	}
	return conn.Close()
}

type logWait string

func (w logWait) String() string         { return fmt.Sprintf("log with %q", string(w)) }
func (w logWait) check(*Container) error { return nil }

func (w logWait) ready(_ context.Context, c *Container) error {
	if !strings.Contains(c.Logs(), string(w)) {
		return errors.New("not in the log")
	}
	return nil
}

type healthWait struct{}

func (healthWait) String() string { return "success of the health check" }

func (healthWait) check(c *Container) error {
	if _, err := healthCommand(c); err != nil {
		return fmt.Errorf("WaitHealthy: %w", err)
	}
	return nil
}

// healthCommand is the image's, as Docker runs it.
func healthCommand(c *Container) ([]string, error) {
	if c.config.Healthcheck == nil || len(c.config.Healthcheck.Test) < 2 {
		return nil, errors.New("the image has no health check")
	}
	switch test := c.config.Healthcheck.Test; test[0] {
	case "CMD":
		return test[1:], nil
	case "CMD-SHELL":
		return []string{"/bin/sh", "-c", test[1]}, nil
	}
	return nil, fmt.Errorf("the image's health check is %q: not CMD or CMD-SHELL", c.config.Healthcheck.Test)
}

func (healthWait) ready(ctx context.Context, c *Container) error {
	command, err := healthCommand(c)
	if err != nil {
		return err
	}
	out, err := c.exec(ctx, command)
	if err != nil {
		return err
	}
	if out.Code != 0 {
		return fmt.Errorf("%s: exit code %d: %s", strings.Join(command, " "), out.Code, strings.TrimSpace(out.Stdout+out.Stderr))
	}
	return nil
}
