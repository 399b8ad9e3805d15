package debian

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/lucid-project/base-images/internal/mirror"
	"github.com/lucid-project/base-images/lucidbase/rootfs/internal/deb"
)

// ErrNoAnswer says that a mirror cannot be reached, or fell silent.
var ErrNoAnswer = mirror.ErrNoAnswer

// statusError is an answer other than the file.
type statusError struct {
	code int
	text string
}

func (e *statusError) Error() string { return e.text }

// missing reports whether a server says that it has no such file.
func missing(err error) bool {
	var status *statusError
	return errors.As(err, &status) && (status.code == http.StatusNotFound || status.code == http.StatusGone)
}

// stallTime is how long a server may send nothing.
const stallTime = 15 * time.Second

// get downloads a file of at most limit bytes.
func (a *Archives) get(ctx context.Context, base, path string, limit int64) ([]byte, error) {
	u, err := url.Parse(base)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	patience := a.stall
	if patience == 0 {
		patience = stallTime
	}
	timer := time.AfterFunc(patience, cancel)
	defer timer.Stop()

	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.JoinPath(path).String(), nil)
	if err != nil {
		return nil, err
	}
	resp, err := a.httpClient().Do(req)
	if err != nil {
		return nil, noAnswer(err)
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode >= http.StatusInternalServerError || resp.StatusCode == http.StatusTooManyRequests:
		return nil, mirror.Mark(&statusError{resp.StatusCode, resp.Status}, mirror.ErrTrouble)
	case resp.StatusCode != http.StatusOK:
		return nil, &statusError{resp.StatusCode, resp.Status}
	case resp.ContentLength > limit:
		return nil, fmt.Errorf("sends %d bytes, not %d or less", resp.ContentLength, limit)
	}
	return readAll(&patientReader{resp.Body, timer, patience}, resp.ContentLength, limit)
}

func readAll(r io.Reader, expect, limit int64) ([]byte, error) {
	var b bytes.Buffer
	b.Grow(int(max(expect, 0)) + bytes.MinRead)
	if _, err := b.ReadFrom(io.LimitReader(r, limit+1)); err != nil {
		if errors.Is(err, context.Canceled) {
			err = fmt.Errorf("%w after %d bytes", ErrNoAnswer, b.Len())
		} else {
			err = fmt.Errorf("after %d bytes: %w", b.Len(), err)
		}
		return nil, mirror.Mark(err, mirror.ErrCut)
	}
	if int64(b.Len()) > limit {
		return nil, fmt.Errorf("sends more than %d bytes", limit)
	}
	return b.Bytes(), nil
}

// noAnswer drops the URL that net/http puts before its errors: the caller says
// which mirror it was.
func noAnswer(err error) error {
	var named *url.Error
	if errors.As(err, &named) {
		err = named.Err
	}
	if errors.Is(err, context.Canceled) {
		return ErrNoAnswer
	}
	return fmt.Errorf("%w: %w", ErrNoAnswer, err)
}

// patientReader puts the timer off for as long as bytes arrive.
type patientReader struct {
	r        io.Reader
	timer    *time.Timer
	patience time.Duration
}

func (p *patientReader) Read(b []byte) (int, error) {
	n, err := p.r.Read(b)
	if n > 0 {
		p.timer.Reset(p.patience)
	}
	return n, err
}

// httpClient returns the one client of these archives. Proxies come from the
// environment, as for every program.
func (a *Archives) httpClient() *http.Client {
	a.once.Do(func() {
		transport := http.DefaultTransport.(*http.Transport).Clone()
		transport.DisableCompression = true // the hashes are of the files as stored
		transport.MaxIdleConnsPerHost = deb.Parallel
		if a.TLS != nil {
			transport.TLSClientConfig = a.TLS
		}
		a.client = &http.Client{Transport: transport}
	})
	return a.client
}
