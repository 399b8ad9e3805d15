package patient

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/stretchr/testify/require"
)

// busy answers that many requests with 429.
func busy(times int, retryAfter string) http.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		if times > 0 {
			times--
			w.Header().Set("Retry-After", retryAfter)
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		_, _ = w.Write(body)
	}
}

func TestBusy(t *testing.T) {
	url, _ := serve(t, busy(2, "7"))
	var said []string
	transport := newTransport(0)
	transport.Wait = func(_ context.Context, d time.Duration, why string) error {
		require.Equal(t, 7*time.Second, d)
		said = append(said, why)
		return nil
	}
	resp, err := do(t, transport, "PATCH", url, strings.NewReader("body"))
	require.NoError(t, err)
	got, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, "body", string(got))
	line := "waiting 7s for " + strings.TrimPrefix(url, "http://") + ", which asks for it (429 Too Many Requests)"
	require.Equal(t, []string{line, line}, said)
}

// A body is opened again for a request that is sent again alone.
func TestBodyIsOpenedOnce(t *testing.T) {
	url, _ := serve(t, busy(1, "7"))
	transport := newTransport(0)
	transport.Wait = func(context.Context, time.Duration, string) error { return nil }
	for _, want := range []int{1, 0} {
		opened := 0
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, url, strings.NewReader("body"))
		require.NoError(t, err)
		open := req.GetBody
		req.GetBody = func() (io.ReadCloser, error) { opened++; return open() }
		resp, err := transport.RoundTrip(req)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, want, opened)
	}
}

func TestBusyForTooLong(t *testing.T) {
	url, requests := serve(t, busy(99, "3600"))
	patient := newTransport(0)
	var waited time.Duration
	ctx := WithWaiter(t.Context(), func(_ context.Context, d time.Duration, _ string) error {
		waited += d
		return nil
	})
	patient.Wait = func(context.Context, time.Duration, string) error {
		t.Error("the context knows better")
		return nil
	}
	ask := func() error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		require.NoError(t, err)
		resp, err := patient.RoundTrip(req)
		if err == nil {
			resp.Body.Close()
		}
		return err
	}
	err := ask()
	require.ErrorContains(t, err, "429 Too Many Requests")
	require.ErrorContains(t, err, "(it asks to wait 1m0s more, after 2m0s)")
	require.ErrorAs(t, err, new(*transport.Error))
	require.Equal(t, 2*time.Minute, waited)
	require.EqualValues(t, 3, requests.Load())
	require.Error(t, ask(), "another request does not begin anew")
	require.Equal(t, 2*time.Minute, waited)
}

// A little, again and again, becomes much.
func TestBusyForALittle(t *testing.T) {
	url, _ := serve(t, busy(99, "3"))
	patient := newTransport(0)
	var waits []time.Duration
	patient.Wait = func(_ context.Context, d time.Duration, _ string) error {
		waits = append(waits, d/time.Second)
		return nil
	}
	err := ask(t, patient, "GET", url, nil)
	require.ErrorContains(t, err, "(it asks to wait 3s more, after 2m0s)")
	require.Equal(t, []time.Duration{3, 3, 6, 12, 24, 48, 24}, waits)
}

type roundTripFunc func(*http.Request) (*http.Response, error)

func (f roundTripFunc) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// Requests to one host wait together.
func TestBusyForMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		patient := &Transport{Base: roundTripFunc(func(*http.Request) (*http.Response, error) {
			resp := &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: http.NoBody}
			if time.Since(start) == 0 {
				resp.StatusCode = http.StatusTooManyRequests
				resp.Header.Set("Retry-After", "5")
			}
			return resp, nil
		})}
		var waits int
		patient.Wait = func(ctx context.Context, d time.Duration, why string) error {
			waits++
			return Sleep(ctx, d, why)
		}
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://example.com", nil)
				require.NoError(t, err)
				resp, err := patient.RoundTrip(req)
				require.NoError(t, err)
				require.NoError(t, resp.Body.Close())
			})
		}
		all.Wait()
		require.Equal(t, 1, waits)
		require.Equal(t, 5*time.Second, time.Since(start))
	})
}

func TestBusyAndCancelled(t *testing.T) {
	url, _ := serve(t, busy(9, "60"))
	ctx, cancel := context.WithCancel(t.Context())
	patient := newTransport(0)
	patient.Wait = func(ctx context.Context, d time.Duration, why string) error {
		cancel() // Ctrl-C while it waits
		return Sleep(ctx, d, why)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	require.NoError(t, err)
	resp, err := patient.RoundTrip(req)
	if err == nil {
		resp.Body.Close()
	}
	require.ErrorIs(t, err, context.Canceled)
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		status       int
		header, date string
		want         time.Duration
	}{
		{429, "", "", 0},
		{429, "3", "", 3 * time.Second},
		{503, "3", "", 3 * time.Second},
		{429, "99999999999", "", longestPause},
		{429, "-1", "", 0},
		{429, "soon", "", 0},
		{429, "Tue, 24 Nov 2026 12:00:05 GMT", "", 5 * time.Second},
		{429, "Tue, 24 Nov 2026 11:00:00 GMT", "", 0},
		{429, "Tue, 24 Nov 2026 13:00:05 GMT", "Tue, 24 Nov 2026 13:00:00 GMT", 5 * time.Second},
		{503, "Wed, 25 Nov 2026 12:00:00 GMT", "", longestPause},
		{200, "3", "", 0},
	} {
		resp := &http.Response{StatusCode: tt.status, Header: http.Header{"Retry-After": {tt.header}, "Date": {tt.date}}}
		require.Equal(t, tt.want, retryAfter(resp, now), "%d %s", tt.status, tt.header)
	}
}
