package patient

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// short is a timeout for tests.
const short = 200 * time.Millisecond

// serve starts a server that counts its requests.
func serve(t *testing.T, handler http.HandlerFunc) (url string, requests *atomic.Int64) {
	requests = &atomic.Int64{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		requests.Add(1)
		handler(w, req)
	}))
	t.Cleanup(server.Close)
	return server.URL, requests
}

// do makes a request with a client that follows for ever, as go-containerregistry's.
func do(t *testing.T, transport *Transport, method, url string, body io.Reader) (*http.Response, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, body)
	require.NoError(t, err)
	forEver := func(*http.Request, []*http.Request) error { return nil }
	resp, err := (&http.Client{Transport: transport, CheckRedirect: forEver}).Do(req)
	if err == nil {
		t.Cleanup(func() { resp.Body.Close() })
	}
	return resp, err
}

// ask makes a request of which the answer itself is of no interest.
func ask(t *testing.T, transport *Transport, method, url string, body io.Reader) error {
	t.Helper()
	resp, err := do(t, transport, method, url, body)
	if err == nil {
		resp.Body.Close()
	}
	return err
}

func newTransport(timeout time.Duration) *Transport {
	return New(http.DefaultTransport.(*http.Transport), timeout)
}

func TestRedirectsEnd(t *testing.T) {
	for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"} {
		url, requests := serve(t, func(w http.ResponseWriter, req *http.Request) {
			http.Redirect(w, req, req.URL.Path+"x", http.StatusTemporaryRedirect)
		})
		err := ask(t, newTransport(0), method, url, strings.NewReader("body"))
		require.ErrorContains(t, err, "stopped after 10 redirects", method)
		require.EqualValues(t, maxRedirects, requests.Load(), method)
	}
}

func TestRedirectsAreFollowed(t *testing.T) {
	url, _ := serve(t, func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		switch {
		case len(req.URL.Path) < maxRedirects-1:
			http.Redirect(w, req, req.URL.Path+"x", http.StatusPermanentRedirect)
		default:
			_, _ = io.WriteString(w, req.Method+" "+string(body))
		}
	})
	resp, err := do(t, newTransport(0), "PUT", url, strings.NewReader("body"))
	require.NoError(t, err)
	got, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, "PUT body", string(got))
}

// What is written is not written by reading a page.
func TestRedirectToAPage(t *testing.T) {
	for _, status := range []int{301, 302, 303} {
		url, requests := serve(t, func(w http.ResponseWriter, req *http.Request) {
			if req.URL.Path != "/login" {
				http.Redirect(w, req, "/login", status)
			}
		})
		for _, method := range []string{"POST", "PUT", "PATCH"} {
			err := ask(t, newTransport(0), method, url+"/v2/", nil)
			require.ErrorContains(t, err, "redirected to a page (")
			require.ErrorContains(t, err, url+"/login)")
		}
		require.EqualValues(t, 3, requests.Load())
		require.NoError(t, ask(t, newTransport(0), "GET", url+"/v2/", nil), "a file may be elsewhere")
	}
}

// A token server's form has the user's own token in it.
func TestRedirectWithCredentials(t *testing.T) {
	thief, stolen := serve(t, func(http.ResponseWriter, *http.Request) {})
	url, _ := serve(t, func(w http.ResponseWriter, req *http.Request) {
		http.Redirect(w, req, thief, http.StatusTemporaryRedirect)
	})
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader("refresh_token=secret"))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := (&http.Client{Transport: newTransport(0)}).Do(req)
	if err == nil {
		resp.Body.Close()
	}
	require.ErrorContains(t, err, "which must not have the credentials")
	require.Zero(t, stolen.Load())
}

func TestSilence(t *testing.T) {
	silent := func(_ http.ResponseWriter, req *http.Request) {
		_, _ = io.Copy(io.Discard, req.Body)
		<-req.Context().Done()
	}
	for _, tt := range []struct {
		method   string
		requests int64
		want     string
	}{
		{"GET", 2, "no answer in 200ms"},
		{"HEAD", 2, "no answer in 200ms"},
		{"POST", 1, "no answer, and no byte taken, in 400ms"},
	} {
		url, requests := serve(t, silent)
		var body io.Reader
		if tt.method == "POST" {
			body = strings.NewReader("body")
		}
		err := ask(t, newTransport(short), tt.method, url, body)
		require.ErrorContains(t, err, tt.want, tt.method)
		var silence *SilenceError
		require.ErrorAs(t, err, &silence)
		require.Equal(t, tt.requests > 1, silence.Repeated)
		require.Equal(t, tt.requests, requests.Load())
	}
}

func TestSilenceOnce(t *testing.T) {
	var seen atomic.Bool
	url, _ := serve(t, func(_ http.ResponseWriter, req *http.Request) {
		if !seen.Swap(true) {
			<-req.Context().Done()
		}
	})
	require.NoError(t, ask(t, newTransport(short), "GET", url, nil), "the second time it answers")
}

func TestSilenceInTheAnswer(t *testing.T) {
	url, _ := serve(t, func(w http.ResponseWriter, req *http.Request) {
		_, _ = io.WriteString(w, "first")
		_ = http.NewResponseController(w).Flush()
		<-req.Context().Done()
	})
	resp, err := do(t, newTransport(short), "GET", url, nil)
	require.NoError(t, err)
	time.Sleep(3 * short) // a reader that has other things to do is not to blame
	buf := make([]byte, 5)
	_, err = io.ReadFull(resp.Body, buf)
	require.NoError(t, err)
	_, err = io.ReadAll(resp.Body)
	require.EqualError(t, err, "no further byte of the answer in 400ms")
	require.ErrorAs(t, err, new(*SilenceError))
}

// The server takes nothing of a body that no buffer can hold.
func TestSilenceInTheRequest(t *testing.T) {
	end := make(chan struct{}) // a server that does not read does not see its client leave
	url, _ := serve(t, func(http.ResponseWriter, *http.Request) { <-end })
	t.Cleanup(func() { close(end) })
	err := ask(t, newTransport(short), "PATCH", url, endless{t.Context()})
	require.ErrorContains(t, err, "no answer, and no byte taken, in 400ms")
}

type endless struct{ ctx context.Context }

func (e endless) Read(p []byte) (int, error) { return len(p), e.ctx.Err() }

// However long it takes in all.
func TestSlowButMoving(t *testing.T) {
	const pause, bytes = short * 19 / 10, 8
	synctest.Test(t, func(t *testing.T) {
		transport := &Transport{Timeout: short, Base: roundTripFunc(func(req *http.Request) (*http.Response, error) {
			for range bytes {
				_, err := io.ReadFull(req.Body, make([]byte, 1))
				require.NoError(t, err)
				time.Sleep(pause)
			}
			read, write := io.Pipe()
			context.AfterFunc(req.Context(), func() { write.CloseWithError(req.Context().Err()) })
			go func() {
				for range bytes {
					_, _ = io.WriteString(write, "x")
					time.Sleep(pause)
				}
				write.Close()
			}()
			return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: read}, req.Context().Err()
		})}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPatch, "http://example.com", strings.NewReader(strings.Repeat("x", bytes)))
		require.NoError(t, err)
		resp, err := transport.RoundTrip(req)
		require.NoError(t, err)
		got, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.Len(t, got, bytes)
		require.NoError(t, resp.Body.Close())
	})
}

func TestSilenceWhileConnecting(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { listener.Close() })
	var connections atomic.Int64
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			connections.Add(1)
			t.Cleanup(func() { conn.Close() })
		}
	}()
	err = ask(t, newTransport(short), "GET", "https://"+listener.Addr().String(), nil)
	require.ErrorContains(t, err, "no TLS handshake in 100ms")
	require.EqualValues(t, 2, connections.Load())
}

// Over HTTP/2 a connection outlives its requests.
func TestSilenceOnASharedConnection(t *testing.T) {
	var seen atomic.Int64
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		if seen.Add(1) == 1 {
			<-req.Context().Done()
		}
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	resp, err := do(t, New(server.Client().Transport.(*http.Transport), short), "GET", server.URL, nil)
	require.NoError(t, err, "the second time it answers")
	require.Equal(t, "HTTP/2.0", resp.Proto)
	require.EqualValues(t, 2, seen.Load())
}

func TestCancelledIsNoSilence(t *testing.T) {
	url, requests := serve(t, func(_ http.ResponseWriter, req *http.Request) { <-req.Context().Done() })
	ctx, cancel := context.WithTimeout(t.Context(), short/4)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	require.NoError(t, err)
	_, err = newTransport(short).RoundTrip(req)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.EqualValues(t, 1, requests.Load())
}
