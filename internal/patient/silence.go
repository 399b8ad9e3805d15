package patient

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// SilenceError is a server that neither sent nor took a byte for too long.
type SilenceError struct {
	// Repeated says that the request was made twice, and this is the second time.
	Repeated bool

	what string
	time time.Duration
}

// Error returns what was waited for, and for how long.
func (e *SilenceError) Error() string { return fmt.Sprintf("%s in %s", e.what, e.time) }

// Timeout reports that time was the reason, as for a net.Error.
func (e *SilenceError) Timeout() bool { return true }

// once sends a request and watches it until its answer's body is closed.
func (t *Transport) once(req *http.Request) (*http.Response, error) {
	limit := t.Timeout
	if limit == 0 {
		limit = DefaultTimeout
	}
	ctx, cancel := context.WithCancelCause(req.Context())
	w := &watch{ctx: ctx, cancel: cancel}
	watched := req.WithContext(ctx)
	w.expect("no answer", limit)
	if req.Body != nil && req.Body != http.NoBody {
		watched.Body = &sentBody{req.Body, w, 2 * limit}
	}
	resp, err := t.Base.RoundTrip(watched)
	w.end()
	if err != nil {
		cancel(nil)
		return nil, w.explain(err, limit/2)
	}
	resp.Request = req
	resp.Body = &receivedBody{resp.Body, &watch{ctx: ctx, cancel: cancel}, 2 * limit}
	return resp, nil
}

// watch ends a request when what is expected does not come in time.
type watch struct {
	ctx    context.Context
	cancel context.CancelCauseFunc

	mu    sync.Mutex
	timer *time.Timer
	ended bool
}

func (w *watch) expect(what string, limit time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ended {
		return // the rest of a request whose answer is there
	}
	if w.timer != nil {
		w.timer.Stop()
	}
	w.timer = time.AfterFunc(limit, func() { w.cancel(&SilenceError{what: what, time: limit}) })
}

func (w *watch) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.timer != nil {
		w.timer.Stop()
	}
}

// end stops for good.
func (w *watch) end() {
	w.stop()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended = true
}

// explain returns the silence that ended a request, if that was it, of which the
// base transport finds one kind by itself.
func (w *watch) explain(err error, handshake time.Duration) error {
	var silent *SilenceError
	if errors.As(context.Cause(w.ctx), &silent) {
		return &SilenceError{what: silent.what, time: silent.time}
	}
	var timeout net.Error
	var dial *net.OpError
	switch {
	case !errors.As(err, &timeout) || !timeout.Timeout() || w.ctx.Err() == context.DeadlineExceeded:
		return err
	case errors.As(err, &dial):
		return unreached{err}
	}
	return &SilenceError{what: "no TLS handshake", time: handshake}
}

// unreached is an error that does not call itself temporary: the system has tried
// to connect several times, and go-containerregistry would three times more.
type unreached struct{ error }

func (u unreached) Unwrap() error { return u.error }

// sentBody is a request's, whose next byte is expected to be taken: its reader
// sends what it has read before it comes back.
type sentBody struct {
	io.ReadCloser
	watch *watch
	limit time.Duration
}

func (b *sentBody) Read(p []byte) (int, error) {
	b.watch.stop()
	defer b.watch.expect("no answer, and no byte taken,", b.limit)
	return b.ReadCloser.Read(p)
}

// receivedBody is an answer's. Only the time counts in which somebody waits for it.
type receivedBody struct {
	io.ReadCloser
	watch *watch
	limit time.Duration
}

func (b *receivedBody) Read(p []byte) (int, error) {
	b.watch.expect("no further byte of the answer", b.limit)
	n, err := b.ReadCloser.Read(p)
	b.watch.stop()
	if err != nil && !errors.Is(err, io.EOF) {
		err = b.watch.explain(err, b.limit)
	}
	return n, err
}

// Close implements io.Closer.
func (b *receivedBody) Close() error {
	err := b.ReadCloser.Close()
	b.watch.cancel(nil)
	return err
}
