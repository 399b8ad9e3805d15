package image

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

const (
	tries      = 4
	firstPause = 200 * time.Millisecond // three times as long after each try
	// longestPause bounds what a registry may ask for.
	longestPause = time.Minute
)

// waiter waits, or gives the error of a context that ends before.
type waiter func(ctx context.Context, d time.Duration) error

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// retry calls fn until it works, or fails for good.
func retry(ctx context.Context, wait waiter, fn func() error) error {
	pause := firstPause
	for try := 1; ; try++ {
		err := fn()
		if err == nil || try == tries || !temporary(err) || ctx.Err() != nil {
			return err
		}
		if err := wait(ctx, pause); err != nil {
			return err
		}
		pause *= 3
	}
}

// temporary tells what may work the next time.
func temporary(err error) bool {
	var answer *transport.Error
	if errors.As(err, &answer) {
		return answer.Temporary() || answer.StatusCode >= http.StatusInternalServerError
	}
	for _, cut := range []error{io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, syscall.ECONNRESET, syscall.EPIPE} {
		if errors.Is(err, cut) {
			return true
		}
	}
	return false
}

// pacer waits as long as a registry asks for before it hands on a refusal:
// go-containerregistry's errors do not carry the header.
type pacer struct {
	inner http.RoundTripper
	wait  waiter
}

// RoundTrip implements http.RoundTripper.
func (p pacer) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := p.inner.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if d := retryAfter(resp, time.Now()); d > 0 {
		if err := p.wait(req.Context(), d); err != nil {
			resp.Body.Close()
			return nil, err
		}
	}
	return resp, nil
}

// retryAfter reads the header's two forms, RFC 9110 section 10.2.3.
func retryAfter(resp *http.Response, now time.Time) time.Duration {
	if resp.StatusCode != http.StatusTooManyRequests && resp.StatusCode != http.StatusServiceUnavailable {
		return 0
	}
	header := resp.Header.Get("Retry-After")
	var d time.Duration
	if seconds, err := strconv.Atoi(header); err == nil {
		d = time.Duration(min(seconds, int(longestPause.Seconds()))) * time.Second
	} else if at, err := http.ParseTime(header); err == nil {
		d = at.Sub(now)
	}
	return min(max(d, 0), longestPause)
}

// oneLine shows an error as one line, and a registry's answer without the
// request's address.
type oneLine struct{ err error }

func (e oneLine) Error() string {
	var answer *transport.Error
	if !errors.As(e.err, &answer) {
		return strings.Join(strings.Fields(e.err.Error()), " ")
	}
	text := fmt.Sprintf("%d %s", answer.StatusCode, http.StatusText(answer.StatusCode))
	for _, d := range answer.Errors {
		text += ": " + strings.Join(strings.Fields(d.String()), " ")
	}
	return text
}

func (e oneLine) Unwrap() error { return e.err }
