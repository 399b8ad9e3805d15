package patient

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

const (
	// longestPause bounds what a server may ask for at once.
	longestPause = time.Minute
	// patience bounds what it may ask for one request.
	patience = 2 * time.Minute
)

// Waiter passes time, or returns the error of a context that ends before.
type Waiter func(ctx context.Context, d time.Duration, why string) error

// Sleep is a Waiter that shows nothing.
func Sleep(ctx context.Context, d time.Duration, _ string) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

type waiterKey struct{}

// WithWaiter returns a context whose requests are waited for by wait, whatever
// their Transport says.
func WithWaiter(ctx context.Context, wait Waiter) context.Context {
	return context.WithValue(ctx, waiterKey{}, wait)
}

// BusyError is a server that still asks to come back later when there was enough
// waiting. It wraps the answer.
type BusyError struct {
	// Answer is a *transport.Error of go-containerregistry.
	Answer error
	// Asked is what it asks for now, after what was Waited.
	Asked, Waited time.Duration
}

// Error returns the answer, and how long it was waited for.
func (e *BusyError) Error() string {
	return fmt.Sprintf("%v (it asks to wait %s more, after %s)", e.Answer, e.Asked, e.Waited)
}

// Unwrap returns the answer.
func (e *BusyError) Unwrap() error { return e.Answer }

// wait passes the time that an answer asks for, if there is patience left for that,
// and returns how long that was: longer each time, for a server that never has
// enough. Requests to one host wait together, so that it is said once.
func (t *Transport) wait(req *http.Request, resp *http.Response, asked, waited time.Duration) (time.Duration, error) {
	host := req.URL.Host
	if _, refused := t.refused.Load(host); refused || waited+asked > patience {
		t.refused.Store(host, true)
		return 0, &BusyError{transport.CheckError(resp), asked, waited}
	}
	d := min(max(asked, waited), patience-waited)
	mine := &pause{done: make(chan struct{})}
	if other, waiting := t.pauses.LoadOrStore(host, mine); waiting {
		select {
		case <-other.(*pause).done:
			return d, nil
		case <-req.Context().Done():
			return 0, req.Context().Err()
		}
	}
	defer close(mine.done)
	defer t.pauses.Delete(host)
	wait, ok := req.Context().Value(waiterKey{}).(Waiter)
	switch {
	case ok:
	case t.Wait != nil:
		wait = t.Wait
	default:
		wait = Sleep
	}
	return d, wait(req.Context(), d, fmt.Sprintf("waiting %s for %s, which asks for it (%s)", d, host, resp.Status))
}

// pause is under way until done is closed.
type pause struct{ done chan struct{} }

// retryAfter reads the header's two forms, RFC 9110 section 10.2.3, a date by the
// server's own clock.
func retryAfter(resp *http.Response, now time.Time) time.Duration {
	if resp.StatusCode != http.StatusTooManyRequests && resp.StatusCode != http.StatusServiceUnavailable {
		return 0
	}
	header := resp.Header.Get("Retry-After")
	if date, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		now = date
	}
	var d time.Duration
	if seconds, err := strconv.ParseInt(header, 10, 32); err == nil || errors.Is(err, strconv.ErrRange) {
		d = time.Duration(seconds) * time.Second
	} else if at, err := http.ParseTime(header); err == nil {
		d = at.Sub(now)
	}
	return min(max(d, 0), longestPause)
}
