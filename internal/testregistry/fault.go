package testregistry

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"
)

// Fault is something that goes wrong with some requests. Its zero value matches
// the next request and serves it as usual.
type Fault struct {
	// Method and Path say which requests: Path is a part of it. Empty matches all.
	Method, Path string
	// Skip is how many such requests are served as usual before.
	Skip int
	// Times is how many such requests then go wrong; 0 means one.
	Times int

	// Delay passes before anything else, unless the client or the test ends.
	Delay time.Duration
	// Status is the answer, 0 means the usual one.
	Status int
	// RetryAfter is a header of the answer.
	RetryAfter string
	// Header has more of them, instead of the usual ones.
	Header http.Header
	// Page makes the answer a web page, with Status or 200. Nothing else is done.
	Page bool
	// Stall falls silent in the middle of the body, until the client or the test
	// ends: the request's if it has one, else the answer's.
	Stall bool
	// Close cuts the connection in the middle of the body: the request's if it has
	// one, else the answer's.
	Close bool
	// Corrupt changes a byte of the body: the request's if it has one, else the
	// answer's.
	Corrupt bool
}

// Faults are what a server or whoever is between may do to one request.
func Faults() map[string]Fault {
	return map[string]Fault{
		"server error":   {Status: http.StatusInternalServerError},
		"no gateway":     {Status: http.StatusBadGateway},
		"busy":           {Status: http.StatusTooManyRequests, RetryAfter: "1"},
		"busy, no time":  {Status: http.StatusTooManyRequests},
		"cut":            {Close: true},
		"stall":          {Stall: true},
		"silence":        {Delay: time.Hour, Status: http.StatusInternalServerError},
		"other bytes":    {Corrupt: true},
		"another length": {Header: http.Header{"Content-Length": {"17"}}},
		"a page":         {Page: true},
		"a login":        {Status: http.StatusFound, Header: http.Header{"Location": {"/login"}}},
		"circles":        {Status: http.StatusTemporaryRedirect, Header: http.Header{"Location": {"/v2/"}}},
		"forbidden":      {Status: http.StatusForbidden},
		"not found":      {Status: http.StatusNotFound},
	}
}

// Inject adds a fault to those that the registry has. The first one that matches
// a request is used.
func (r *Registry) Inject(f Fault) {
	f.Times = max(f.Times, 1)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.faults = append(r.faults, &f)
}

// fault returns the one that a request meets, if any.
func (r *Registry) fault(req *http.Request) *Fault {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, f := range r.faults {
		switch {
		case f.Times == 0, f.Method != "" && f.Method != req.Method, !strings.Contains(req.URL.Path, f.Path):
		case f.Skip > 0:
			f.Skip--
		default:
			f.Times--
			return f
		}
	}
	return nil
}

func (f *Fault) serve(w http.ResponseWriter, req *http.Request, r *Registry) {
	if f.Delay > 0 {
		body, _ := io.ReadAll(req.Body) // only then a server sees that its client leaves
		req.Body = io.NopCloser(bytes.NewReader(body))
		r.pause(req, f.Delay)
	}
	if f.RetryAfter != "" {
		w.Header().Set("Retry-After", f.RetryAfter)
	}
	hasBody := req.ContentLength != 0
	switch {
	case f.Page:
		writePage(w, f)
	case f.Status != 0:
		maps.Copy(w.Header(), f.Header)
		refuse(w, f.Status)
	case f.Close && hasBody, f.Stall && hasBody:
		_, _ = io.CopyN(io.Discard, req.Body, req.ContentLength/2)
		f.end(req, r)
	case f.Corrupt && hasBody:
		body, _ := io.ReadAll(req.Body)
		req.Body = io.NopCloser(bytes.NewReader(flip(body)))
		r.serve(w, req)
	default:
		f.spoil(w, req, r)
	}
}

// pause passes time, unless the client or the test ends.
func (r *Registry) pause(req *http.Request, d time.Duration) {
	select {
	case <-time.After(d):
	case <-req.Context().Done():
	case <-r.closing:
	}
}

// end cuts the connection, if need be after a long silence.
func (f *Fault) end(req *http.Request, r *Registry) {
	if f.Stall {
		r.pause(req, time.Hour)
	}
	panic(http.ErrAbortHandler)
}

func writePage(w http.ResponseWriter, f *Fault) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	maps.Copy(w.Header(), f.Header)
	w.WriteHeader(max(f.Status, http.StatusOK))
	_, _ = io.WriteString(w, "<!doctype html><title>Log in</title>\n<p>Welcome.\n")
}

// spoil serves a request and then cuts or changes the answer.
func (f *Fault) spoil(w http.ResponseWriter, req *http.Request, r *Registry) {
	answer := httptest.NewRecorder()
	r.serve(answer, req)
	body := answer.Body.Bytes()
	maps.Copy(w.Header(), answer.Header())
	maps.Copy(w.Header(), f.Header)
	if f.Corrupt {
		body = flip(body)
	}
	if !f.Close && !f.Stall {
		w.WriteHeader(answer.Code)
		_, _ = w.Write(body)
		return
	}
	if len(body) > 1 {
		w.Header().Set("Content-Length", fmt.Sprint(len(body)))
		_, _ = w.Write(body[:len(body)/2])
		_ = http.NewResponseController(w).Flush()
	}
	f.end(req, r)
}

func flip(body []byte) []byte {
	body = bytes.Clone(body)
	if len(body) > 0 {
		body[len(body)/2] ^= 1
	}
	return body
}

// refuse answers as the distribution specification wants errors to be.
func refuse(w http.ResponseWriter, status int) {
	if status < http.StatusBadRequest {
		w.WriteHeader(status)
		return
	}
	code, ok := map[int]string{
		http.StatusUnauthorized:    "UNAUTHORIZED",
		http.StatusForbidden:       "DENIED",
		http.StatusNotFound:        "MANIFEST_BLOB_UNKNOWN",
		http.StatusTooManyRequests: "TOOMANYREQUESTS",
	}[status]
	if !ok {
		code = "UNKNOWN"
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{
		"errors": []map[string]string{{"code": code, "message": strings.ToLower(http.StatusText(status))}},
	})
}
