// Package registrytls reaches each registry with the certificates that this machine has
// for it in the directories that Docker and Podman read.
package registrytls

import (
	"crypto/tls"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
)

// Transport is an http.RoundTripper with a connection pool for each registry that has
// certificates of its own, and one for all others.
type Transport struct {
	// Base makes the requests to all others; what it is like is what the rest is like.
	Base *http.Transport
	// Dirs are the directories with one below each for every registry; see Dirs.
	Dirs []string
	// Insecure are registries, as HOST or HOST:PORT, whose certificates are not
	// verified, and which are spoken to without TLS where they have none.
	Insecure []string

	mu    sync.Mutex
	hosts map[string]*host
}

// host is how one registry is reached.
type host struct {
	transport *http.Transport
	insecure  bool
	plain     atomic.Bool // it has no TLS
}

// RoundTrip implements http.RoundTripper.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	h, err := t.host(req.URL.Host)
	if err != nil {
		if req.Body != nil {
			req.Body.Close()
		}
		return nil, err
	}
	if h.insecure && req.URL.Scheme == "https" {
		return h.roundTrip(req)
	}
	return h.transport.RoundTrip(req)
}

// roundTrip sends a request with TLS, or without where the registry has none. The first
// request to a registry has no body, so that it can be sent again.
func (h *host) roundTrip(req *http.Request) (*http.Response, error) {
	without := req.Clone(req.Context())
	without.URL.Scheme = "http"
	if h.plain.Load() {
		return h.transport.RoundTrip(without)
	}
	resp, err := h.transport.RoundTrip(req)
	if err == nil || !hasNoTLS(err) || req.Body != nil && req.Body != http.NoBody {
		return resp, err
	}
	resp, plainErr := h.transport.RoundTrip(without)
	if plainErr != nil {
		return nil, err
	}
	h.plain.Store(true)
	return resp, nil
}

// hasNoTLS reports whether an error is that of a server that knows nothing of TLS.
func hasNoTLS(err error) bool {
	return errors.Is(err, http.ErrSchemeMismatch) || errors.As(err, new(tls.RecordHeaderError)) || errors.Is(err, syscall.ECONNREFUSED)
}

// host returns how a registry is reached, the same each time.
func (t *Transport) host(name string) (*host, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if h := t.hosts[name]; h != nil {
		return h, nil
	}
	own, err := read(t.Dirs, name)
	if err != nil {
		return nil, err
	}
	h := &host{transport: t.Base, insecure: slices.Contains(t.Insecure, name)}
	if own != nil || h.insecure {
		h.transport = t.Base.Clone()
		if h.transport.TLSClientConfig == nil {
			h.transport.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
		}
		h.transport.TLSClientConfig.InsecureSkipVerify = h.insecure
	}
	if own != nil {
		if err := own.addTo(h.transport.TLSClientConfig); err != nil {
			return nil, err
		}
	}
	if t.hosts == nil {
		t.hosts = map[string]*host{}
	}
	t.hosts[name] = h
	return h, nil
}

// CloseIdleConnections closes those to all registries.
func (t *Transport) CloseIdleConnections() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.Base.CloseIdleConnections()
	for _, h := range t.hosts {
		h.transport.CloseIdleConnections()
	}
}

// CheckName reports a name of a registry that is not HOST or HOST:PORT.
func CheckName(name string) error {
	u, err := url.Parse("//" + name)
	if err != nil || u.Host != name || u.Hostname() == "" || strings.HasSuffix(name, ":") {
		return errors.New("not HOST or HOST:PORT")
	}
	return nil
}
