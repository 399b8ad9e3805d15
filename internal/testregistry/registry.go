// Package testregistry is a container registry for tests: in this process, on a
// loopback port, and as unreliable as a test wants it to be. Unlike the registry
// of go-containerregistry that it wraps, it keeps repositories apart, so that a
// blob has to be mounted from one into another, and it refuses a manifest whose
// blobs it does not have.
package testregistry

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-containerregistry/pkg/registry"
)

// Registry is a running registry. It stops when its test ends.
type Registry struct {
	// Host is the registry's name in a reference: an address and a port.
	Host string

	blobs          *blobs
	inner          http.Handler
	user, password string
	closing        chan struct{}

	mu       sync.Mutex
	faults   []*Fault
	requests []Request
}

// Option changes what New starts.
type Option func(*Registry)

// BasicAuth makes the registry refuse everybody else.
func BasicAuth(user, password string) Option {
	return func(r *Registry) { r.user, r.password = user, password }
}

// New starts an empty registry.
func New(t testing.TB, opts ...Option) *Registry {
	t.Helper()
	blobs := newBlobs()
	r := &Registry{blobs: blobs, inner: registry.New(registry.WithBlobHandler(blobs), registry.Logger(log.New(io.Discard, "", 0)))}
	for _, opt := range opts {
		opt(r)
	}
	r.start(t)
	return r
}

// Before starts something that is no registry: it answers as next does, with the same
// faults.
func Before(t testing.TB, next http.Handler) *Registry {
	t.Helper()
	r := &Registry{blobs: newBlobs(), inner: next}
	r.start(t)
	return r
}

func (r *Registry) start(t testing.TB) {
	r.closing = make(chan struct{})
	server := httptest.NewServer(r)
	t.Cleanup(func() {
		close(r.closing) // ends delays: Close waits for the requests under way
		server.Close()
	})
	r.Host = strings.TrimPrefix(server.URL, "http://")
}

// Ref is the full reference of "name:tag" in this registry.
func (r *Registry) Ref(nameTag string) string { return r.Host + "/" + nameTag }

// Request is one that the registry has answered.
type Request struct {
	Method string
	Path   string
	Query  url.Values
	// Status is 0 where the connection was cut instead.
	Status int
}

// String returns "METHOD PATH STATUS".
func (q Request) String() string { return fmt.Sprintf("%s %s %d", q.Method, q.Path, q.Status) }

// Requests lists the requests so far, in the order in which they were answered.
func (r *Registry) Requests() []Request {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]Request(nil), r.requests...)
}

// Reset forgets the requests and the faults so far.
func (r *Registry) Reset() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.requests, r.faults = nil, nil
}

// ServeHTTP answers one request.
func (r *Registry) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	rec := &recorder{ResponseWriter: w}
	q := Request{Method: req.Method, Path: req.URL.Path, Query: req.URL.Query()}
	// Deferred, as a cut connection is a panic.
	defer func() {
		q.Status = rec.status
		r.mu.Lock()
		defer r.mu.Unlock()
		r.requests = append(r.requests, q)
	}()
	if !r.authorized(req) {
		w.Header().Set("WWW-Authenticate", `Basic realm="test"`)
		refuse(rec, http.StatusUnauthorized)
		return
	}
	if f := r.fault(req); f != nil {
		f.serve(rec, req, r)
		return
	}
	r.serve(rec, req)
}

func (r *Registry) authorized(req *http.Request) bool {
	user, password, _ := req.BasicAuth()
	return r.user == "" || user == r.user && password == r.password
}

// recorder remembers the status of an answer.
type recorder struct {
	http.ResponseWriter
	status int
}

func (r *recorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(p []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	return r.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController flush.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
