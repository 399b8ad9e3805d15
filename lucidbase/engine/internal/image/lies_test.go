package image

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/crane"
	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/testregistry"
)

const (
	anyPath  = "lucid/base/"
	forEver  = 999
	otherSum = "sha256:0000000000000000000000000000000000000000000000000000000000000000"
)

func header(pairs ...string) http.Header {
	h := http.Header{}
	for i := 0; i < len(pairs); i += 2 {
		h.Set(pairs[i], pairs[i+1])
	}
	return h
}

// Whoever answers for the registry and reports success: the push is an error, and
// the tag is the old one.
func TestPushToALiar(t *testing.T) {
	for _, tt := range []struct {
		name   string
		faults []testregistry.Fault
		want   string // REPO stands for lucid/base in the registry, X for a digest
	}{
		{"a page for all", []testregistry.Fault{{Path: "/v2/", Page: true, Times: forEver}}, "pushing to REPO: blob sha256:X: POST: 200 OK with a web page, which no registry answers"},
		{"a created page for all", []testregistry.Fault{{Path: anyPath, Page: true, Status: 201, Times: forEver}}, "pushing to REPO: blob sha256:X: POST: 201 Created with a web page"},
		{"a page for an upload's start", []testregistry.Fault{{Method: "POST", Path: anyPath, Page: true, Status: 202, Times: forEver}}, "blob sha256:X: POST: 202 Accepted with a web page"},
		{"an upload's start is the end", []testregistry.Fault{{Method: "POST", Path: anyPath, Status: 201, Times: forEver}}, "blob sha256:X: POST: 201 Created, and nothing was uploaded yet"},
		{"an upload leads nowhere", []testregistry.Fault{{Method: "POST", Path: anyPath, Status: 202, Times: forEver}}, "blob sha256:X: POST: 202 Accepted without a Location to upload to"},
		{"a nothing for an upload's start", []testregistry.Fault{{Method: "POST", Path: anyPath, Status: 200, Times: forEver}}, "blob sha256:X: POST: 200 OK, which is no answer to that"},
		{"a page for an upload", []testregistry.Fault{{Method: "PATCH", Page: true, Times: forEver}}, "blob sha256:X: PATCH: 200 OK with a web page"},
		{"a page for an upload's end", []testregistry.Fault{{Method: "PUT", Path: anyPath + "blobs/", Page: true, Status: 201, Times: forEver}}, "blob sha256:X: PUT: 201 Created with a web page"},
		{"an upload's end is made up", []testregistry.Fault{{Method: "PUT", Path: anyPath + "blobs/", Status: 201, Times: forEver}}, "blob sha256:X: reading it back: 404 Not Found"},
		{"an upload's end is of another", []testregistry.Fault{{Method: "PUT", Path: anyPath + "blobs/", Header: header("Docker-Content-Digest", otherSum), Times: forEver}}, "blob sha256:X: PUT: 201 Created, but of " + otherSum + ", and not of sha256:"},
		{"an upload's end is a page elsewhere", []testregistry.Fault{{Method: "PUT", Path: anyPath + "blobs/", Status: 302, Header: header("Location", "/login"), Times: forEver}}, "blob sha256:X: PUT: redirected to a page (302 Found to http://HOST/login)"},
		{"a manifest is made up", []testregistry.Fault{{Method: "PUT", Path: anyPath + "manifests/sha256:", Status: 201, Times: forEver}}, "pushing to REPO: sha256:X: reading it back: 404 Not Found"},
		{"a page for a manifest", []testregistry.Fault{{Method: "PUT", Path: anyPath + "manifests/sha256:", Page: true, Times: forEver}}, "sha256:X: PUT: 200 OK with a web page"},
		{"a tag is made up", []testregistry.Fault{{Method: "PUT", Path: anyPath + "manifests/latest", Status: 201, Times: forEver}}, "pushing to REPO: latest: reading it back: it is sha256:X, not sha256:"},
		{"a page for a tag", []testregistry.Fault{{Method: "PUT", Path: anyPath + "manifests/latest", Page: true, Status: 201, Times: forEver}}, "latest: PUT: 201 Created with a web page"},
		{"a tag of another", []testregistry.Fault{{Method: "PUT", Path: anyPath + "manifests/latest", Header: header("Docker-Content-Digest", otherSum), Status: 201, Times: forEver}}, "latest: PUT: 201 Created, but of " + otherSum + ", and not of sha256:"},
		{"a tag is a page elsewhere", []testregistry.Fault{{Method: "PUT", Path: anyPath + "manifests/latest", Status: 303, Header: header("Location", "/login"), Times: forEver}}, "latest: PUT: redirected to a page (303 See Other to http://HOST/login)"},
		{"a tag in circles", []testregistry.Fault{{Method: "PUT", Path: anyPath + "manifests/latest", Status: 307, Header: header("Location", "/v2/lucid/base/manifests/latest"), Times: forEver}}, "latest: PUT: stopped after 10 redirects"},
		{"an upload in circles", []testregistry.Fault{{Method: "PATCH", Path: anyPath, Status: 308, Header: header("Location", "/v2/lucid/base/blobs/uploads/0"), Times: forEver}}, "blob sha256:X: PATCH: stopped after 10 redirects"},
		{"everything in circles", []testregistry.Fault{{Path: anyPath, Status: 307, Header: header("Location", "/v2/lucid/base/blobs/0"), Times: forEver}}, "blob sha256:X: HEAD: stopped after 10 redirects"},
		{"the root in circles", []testregistry.Fault{{Path: "/v2/", Status: 302, Header: header("Location", "/v2/"), Times: forEver}}, "stopped after 10 redirects"},
		{"a blob of another size", []testregistry.Fault{{Method: "HEAD", Path: anyPath + "blobs/", Header: header("Content-Length", "17"), Times: forEver}, {Method: "GET", Path: anyPath + "blobs/", Page: true, Times: forEver}}, "blob sha256:X: reading it back: 200 OK with a web page"},
		{"another content", []testregistry.Fault{{Method: "HEAD", Path: anyPath + "blobs/", Status: 405, Times: forEver}, {Method: "GET", Path: anyPath + "blobs/", Status: 200, Times: forEver}}, "blob sha256:X: reading it back: it has not the "},
		{"a manifest of other bytes", []testregistry.Fault{{Method: "GET", Path: anyPath + "manifests/sha256:", Corrupt: true, Times: forEver}}, "pushing to REPO: sha256:X: reading it back: it is sha256:"},
		{"a tag of other bytes", []testregistry.Fault{{Method: "GET", Path: anyPath + "manifests/latest", Corrupt: true, Times: forEver}}, "pushing to REPO: latest: reading it back: it is sha256:"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := newExport(t)
			r := testregistry.New(t)
			old := e.image("old root")
			base := target(t, r, old, "lucid/base:latest")
			require.NoError(t, pushAll(t.Context(), []Target{base}, nil))
			for _, f := range tt.faults {
				r.Inject(f)
			}
			base.Index = e.image("new root").Index()
			var w waits
			err := w.push(t, base)
			want := strings.NewReplacer("REPO", r.Ref("lucid/base"), "HOST", r.Host).Replace(tt.want)
			for _, part := range strings.Split(want, "X") {
				require.ErrorContains(t, err, part)
			}
			require.NotContains(t, err.Error(), "\n")
			requests := len(r.Requests())
			require.Less(t, requests, 250)
			if strings.Contains(tt.name, "other bytes") {
				return // the registry has what was sent: it is what it hands out that is wrong
			}
			r.Reset()
			requireTag(t, base.Tag.String(), old.Index())
		})
	}
}

// What looks odd and harms nothing: the image arrives.
func TestPushToAnOddRegistry(t *testing.T) {
	for _, tt := range []struct {
		name   string
		faults []testregistry.Fault
	}{
		{"pages for HEAD", []testregistry.Fault{{Method: "HEAD", Page: true, Times: forEver}}},
		{"no HEAD", []testregistry.Fault{{Method: "HEAD", Status: 405, Times: forEver}}},
		{"HEAD without sizes", []testregistry.Fault{{Method: "HEAD", Header: header("Content-Length", "0"), Times: forEver}}},
		{"HEAD knows every manifest", []testregistry.Fault{{Method: "HEAD", Path: "/manifests/", Status: 200, Times: forEver}}},
		{"the root is a page", []testregistry.Fault{{Path: "/v2/", Page: true}}}, // Quay's is, in name
		{"answers call themselves pages", []testregistry.Fault{{Method: "POST", Header: header("Content-Type", "text/html"), Times: forEver}, {Method: "PATCH", Header: header("Content-Type", "text/html"), Times: forEver}, {Method: "PUT", Header: header("Content-Type", "text/html"), Times: forEver}}},
		{"the upload is gone", []testregistry.Fault{{Method: "PATCH", Status: 404}}},
		{"the upload is gone at its end", []testregistry.Fault{{Method: "PUT", Path: "/blobs/uploads/", Status: 404}}},
		{"the upload is elsewhere in itself", []testregistry.Fault{{Method: "PATCH", Status: 416}}},
		{"mounts are forbidden", []testregistry.Fault{{Method: "POST", Path: "python-base/", Status: 403}}},
		{"mounts are pages", []testregistry.Fault{{Method: "POST", Path: "python-base/", Page: true, Status: 201}}},
		{"a moment before it is there", []testregistry.Fault{{Method: "GET", Path: "/manifests/latest", Status: 404}, {Method: "GET", Path: "/manifests/sha256:", Status: 404}}},
		{"silent once", []testregistry.Fault{{Method: "PATCH", Delay: time.Hour, Status: 500}}},
		{"silent in an upload", []testregistry.Fault{{Method: "PATCH", Stall: true}}},
		{"silent for a HEAD", []testregistry.Fault{{Method: "HEAD", Delay: time.Hour, Status: 500}}},
		{"silent for a tag", []testregistry.Fault{{Method: "PUT", Path: "/manifests/latest", Delay: time.Hour, Status: 500}}},
		{"cut when it is read back", []testregistry.Fault{{Method: "GET", Path: "/manifests/latest", Close: true}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := newExport(t)
			r := testregistry.New(t)
			base, python := target(t, r, e.image("root"), "lucid/base:latest"), target(t, r, e.image("root"), "lucid/python-base:latest")
			for _, f := range tt.faults {
				r.Inject(f)
			}
			var w waits
			require.NoError(t, w.push(t, base, python))
			r.Reset()
			requirePushed(t, base)
			requirePushed(t, python)
		})
	}
}

// A registry that does not answer: the request is made again, then the error says
// which it was.
func TestPushToASilentRegistry(t *testing.T) {
	silent := func(method, path string) testregistry.Fault {
		return testregistry.Fault{Method: method, Path: path, Delay: time.Hour, Status: 500, Times: forEver}
	}
	for _, tt := range []struct {
		name     string
		fault    testregistry.Fault
		want     string
		requests int // that met the silence; 0 means any number, as there are several blobs at once
	}{
		{"all", silent("", "/v2/"), "no answer in 100ms", 0},
		{"blobs", silent("HEAD", "/blobs/"), "HEAD: no answer in 100ms", 0},
		{"uploads", silent("POST", "/blobs/"), "POST: no answer in 100ms", 0},
		{"bodies", testregistry.Fault{Method: "PATCH", Stall: true, Times: forEver}, "PATCH: no answer, and no byte taken, in 200ms", 0},
		{"upload's end", silent("PUT", "/blobs/"), "PUT: no answer in 100ms", 0},
		{"tag", silent("PUT", "/manifests/latest"), "latest: PUT: no answer, and no byte taken, in 200ms", 2},
		{"reading back", testregistry.Fault{Method: "GET", Path: "/manifests/latest", Stall: true, Times: forEver}, "latest: no further byte of the answer in 200ms", 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := testregistry.New(t)
			to := target(t, r, newExport(t).image("root"), "lucid/base:latest")
			r.Inject(tt.fault)
			var w waits
			err := w.push(t, to)
			require.ErrorContains(t, err, "pushing to "+r.Ref("lucid/base")+": ")
			require.ErrorContains(t, err, tt.want)
			require.NotContains(t, err.Error(), "\n")
			require.Eventually(t, func() bool {
				met := 0
				for _, q := range r.Requests() {
					if q.Method == tt.fault.Method && strings.Contains(q.Path, tt.fault.Path) {
						met++
					}
				}
				return tt.requests == 0 || met == tt.requests
			}, 10*time.Second, time.Millisecond)
		})
	}
}

// A registry that is busy for ever is waited for twice, and not by each request
// anew.
func TestPushToABusyRegistry(t *testing.T) {
	r := testregistry.New(t)
	to := target(t, r, newExport(t).image("root"), "lucid/base:latest")
	r.Inject(testregistry.Fault{Method: "PUT", Path: "/manifests/sha256:", Status: 429, RetryAfter: "60", Times: forEver})
	var w waits
	err := w.push(t, to)
	require.ErrorContains(t, err, "PUT: 429 Too Many Requests: TOOMANYREQUESTS: too many requests (it asks to wait 1m0s more, after ")
	require.LessOrEqual(t, len(w.times), 2*2, "for two manifests at once")
	require.NotContains(t, w.times, firstPause)
}

// An unchanged image costs few requests, and no blob is asked for twice.
func TestPushUnchangedIsCheap(t *testing.T) {
	r := testregistry.New(t)
	to := target(t, r, newExport(t).image("root", "python"), "lucid/base:latest")
	require.NoError(t, pushAll(t.Context(), []Target{to}, nil))
	r.Reset()
	require.NoError(t, pushAll(t.Context(), []Target{to}, nil))
	var heads []string
	others := 0
	for _, q := range r.Requests() {
		switch {
		case q.Method == http.MethodHead && strings.Contains(q.Path, "/blobs/"):
			heads = append(heads, q.Path)
		default:
			others++
		}
	}
	require.Len(t, heads, 6)
	require.Len(t, slices.Compact(slices.Sorted(slices.Values(heads))), 6)
	require.LessOrEqual(t, others, 10, "the root twice, and each of four manifests twice")
}

// tokenServer is a registry whose tokens come from answer.
func tokenServer(t *testing.T, r *testregistry.Registry, answer http.HandlerFunc) string {
	mux := http.NewServeMux()
	var host string
	mux.HandleFunc("/token", answer)
	mux.HandleFunc("/", func(w http.ResponseWriter, req *http.Request) {
		if req.Header.Get("Authorization") != "Bearer good" {
			w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer realm="http://%s/token",service="test"`, host))
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		r.ServeHTTP(w, req)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	host = strings.TrimPrefix(server.URL, "http://")
	return host
}

func TestPushWithTokens(t *testing.T) {
	for _, tt := range []struct {
		name   string
		answer http.HandlerFunc
		want   string
	}{
		{"good", func(w http.ResponseWriter, _ *http.Request) {
			_ = json.NewEncoder(w).Encode(map[string]string{"token": "good"})
		}, ""},
		{"page", func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, "<!doctype html>") }, "GET http://HOST/token: 200 OK without a token"},
		{"no token", func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, `{"a":1}`) }, "GET http://HOST/token: 200 OK without a token"},
		{"silence", func(_ http.ResponseWriter, req *http.Request) { <-req.Context().Done() }, "GET http://HOST/token: no answer in 100ms"},
		{"circles", func(w http.ResponseWriter, req *http.Request) { http.Redirect(w, req, "/token", http.StatusFound) }, "GET /token: stopped after 10 redirects"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := testregistry.New(t)
			host := tokenServer(t, r, tt.answer)
			to := target(t, &testregistry.Registry{Host: host}, newExport(t).image("root"), "lucid/base:latest")
			var w waits
			err := w.push(t, to)
			if tt.want == "" {
				require.NoError(t, err)
				requirePushed(t, to)
				return
			}
			require.ErrorContains(t, err, "pushing to "+host+"/lucid/base: ")
			require.ErrorContains(t, err, strings.ReplaceAll(tt.want, "HOST", host))
		})
	}
}

// Blobs may be kept elsewhere, by address or by redirect: credentials stay.
func TestPushToTwoHosts(t *testing.T) {
	for _, status := range []int{0, http.StatusTemporaryRedirect} {
		r := testregistry.New(t)
		var foreign []string
		storage := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			foreign = append(foreign, req.Method)
			if req.Header.Get("Authorization") != "" {
				t.Errorf("%s: credentials went to another host", req.Method)
			}
			r.ServeHTTP(w, req)
		}))
		t.Cleanup(storage.Close)
		front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			if user, _, _ := req.BasicAuth(); user != "ann" {
				w.Header().Set("WWW-Authenticate", `Basic realm="test"`)
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			switch isBlob := strings.Contains(req.URL.Path, "/blobs/"); {
			case isBlob && status != 0 && req.Method != http.MethodPost:
				http.Redirect(w, req, storage.URL+req.URL.RequestURI(), status)
			case isBlob && req.Method == http.MethodPost:
				answer := httptest.NewRecorder()
				r.ServeHTTP(answer, req)
				location := answer.Header().Get("Location")
				if status == 0 {
					location = storage.URL + location
				}
				w.Header().Set("Location", location)
				w.WriteHeader(answer.Code)
			default:
				r.ServeHTTP(w, req)
			}
		}))
		t.Cleanup(front.Close)
		host := strings.TrimPrefix(front.URL, "http://")
		to := target(t, &testregistry.Registry{Host: host}, newExport(t).image("root"), "lucid/base:latest")
		logIn(t, host, "ann", "secret")
		require.NoError(t, pushAll(t.Context(), []Target{to}, nil))
		require.Contains(t, foreign, "PATCH")
		got, err := crane.Digest(r.Ref("lucid/base:latest"))
		require.NoError(t, err)
		require.Equal(t, digestOf(t, to.Index), got)
	}
}
