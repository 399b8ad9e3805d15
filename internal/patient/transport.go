// Package patient makes HTTP requests that end: a server that falls silent, that
// redirects in circles or that asks to come back again and again is waited for so
// long and no longer, while one that is slow but moves has all the time it needs.
package patient

import (
	"errors"
	"net"
	"net/http"
	"sync"
	"time"
)

// DefaultTimeout is how long a server may take for the first byte of its answer.
const DefaultTimeout = 30 * time.Second

// Transport is an http.RoundTripper whose requests end. There is no limit on how
// long a request takes in all. One that changes nothing (GET, HEAD) is sent once
// more when its server falls silent.
type Transport struct {
	// Base makes the requests.
	Base http.RoundTripper
	// Timeout is how long a server may take for the first byte of an answer, and
	// half of how long it may send or take no byte of a body. 0 means
	// DefaultTimeout.
	Timeout time.Duration
	// Wait passes the time that a server asks for, unless a request's context has a
	// Waiter of its own; nil means Sleep.
	Wait Waiter

	pauses  sync.Map // by host, of which one is under way
	refused sync.Map // hosts that were busy for too long: not waited for until they answer
}

// New returns a Transport over a copy of base. Connecting takes half of the timeout
// at most; a dead connection that many requests share (HTTP/2) is found and left.
func New(base *http.Transport, timeout time.Duration) *Transport {
	if timeout == 0 {
		timeout = DefaultTimeout
	}
	base = base.Clone()
	base.DialContext = (&net.Dialer{Timeout: timeout / 2, KeepAlive: DefaultTimeout}).DialContext
	base.TLSHandshakeTimeout = timeout / 2
	base.HTTP2 = &http.HTTP2Config{SendPingTimeout: timeout / 2, PingTimeout: timeout / 2}
	return &Transport{Base: base, Timeout: timeout}
}

// RoundTrip implements http.RoundTripper.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := checkRedirected(req); err != nil {
		if req.Body != nil {
			req.Body.Close()
		}
		return nil, err
	}
	resp, err := t.try(req)
	for waited := time.Duration(0); err == nil; {
		if err = checkRedirect(req, resp); err != nil {
			break
		}
		asked := retryAfter(resp, time.Now())
		if asked == 0 {
			t.refused.Delete(req.URL.Host)
			return resp, nil
		}
		again := rewind(req)
		if again == nil {
			return resp, nil
		}
		var d time.Duration
		if d, err = t.wait(req, resp, asked, waited); err == nil {
			resp.Body.Close()
			waited += d
			resp, err = t.try(again)
		}
	}
	if resp != nil {
		resp.Body.Close()
	}
	return nil, err
}

// try sends a request, once more if the server fell silent and that does no harm.
func (t *Transport) try(req *http.Request) (*http.Response, error) {
	resp, err := t.once(req)
	var silent *SilenceError
	if !errors.As(err, &silent) {
		return resp, err
	}
	if idle, ok := t.Base.(interface{ CloseIdleConnections() }); ok {
		idle.CloseIdleConnections() // they may lead to the same silence
	}
	if !isRead(req) || req.Context().Err() != nil {
		return resp, err
	}
	if again := rewind(req); again != nil {
		resp, err = t.once(again)
		if errors.As(err, &silent) {
			silent.Repeated = true
		}
	}
	return resp, err
}

// isRead reports whether a request changes nothing.
func isRead(req *http.Request) bool {
	return req.Method == http.MethodGet || req.Method == http.MethodHead
}

// rewind returns a request that can be sent again, or nil if its body cannot. It is for
// one that is sent again: containerd's client takes the call for that.
func rewind(req *http.Request) *http.Request {
	if req.Body == nil || req.Body == http.NoBody {
		return req
	}
	if req.GetBody == nil {
		return nil
	}
	body, err := req.GetBody()
	if err != nil {
		return nil
	}
	again := *req
	again.Body = body
	return &again
}
