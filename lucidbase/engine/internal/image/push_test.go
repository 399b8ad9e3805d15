package image

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/crane"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/google/go-containerregistry/pkg/v1/validate"
	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/patient"
	"github.com/lucid-project/base-images/internal/testregistry"
)

func target(t *testing.T, r *testregistry.Registry, img *Image, nameTag string) Target {
	t.Setenv("DOCKER_CONFIG", t.TempDir()) // nobody's own credentials
	tag, err := name.NewTag(r.Ref(nameTag))
	require.NoError(t, err)
	return Target{Index: img.Index(), Tag: tag}
}

// waits notes what would be waited for.
type waits struct {
	mu    sync.Mutex
	times []time.Duration
}

func (w *waits) wait(ctx context.Context, d time.Duration, _ string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.times = append(w.times, d)
	return ctx.Err()
}

// push pushes without waiting. What falls silent is given up soon.
func (w *waits) push(t *testing.T, targets ...Target) error {
	rt := Genuine(patient.New(http.DefaultTransport.(*http.Transport), short))
	_, err := push(patient.WithWaiter(t.Context(), w.wait), targets, rt, Lenders{}, w.wait)
	return err
}

// pushAll is Push of which the series are of no interest.
func pushAll(ctx context.Context, targets []Target, rt http.RoundTripper) error {
	_, err := Push(ctx, targets, rt, Lenders{})
	return err
}

const short = 100 * time.Millisecond

func digestOf(t *testing.T, idx v1.ImageIndex) string {
	d, err := idx.Digest()
	require.NoError(t, err)
	return d.String()
}

func requireTag(t *testing.T, ref string, want v1.ImageIndex) {
	got, err := crane.Digest(ref)
	require.NoError(t, err)
	require.Equal(t, digestOf(t, want), got)
}

func requirePushed(t *testing.T, target Target) {
	requireTag(t, target.Tag.String(), target.Index)
	got, err := remote.Index(target.Tag, remote.WithAuthFromKeychain(authn.DefaultKeychain))
	require.NoError(t, err)
	require.NoError(t, validate.Index(got), "with every byte read")
}

// writes are the requests that changed something, in order and by kind.
func writes(r *testregistry.Registry) []string {
	var kinds []string
	for _, q := range r.Requests() {
		parent, id := filepath.Split(q.Path)
		switch {
		case q.Method == http.MethodPut && strings.HasSuffix(parent, "/manifests/") && strings.Contains(id, ":"):
			kinds = append(kinds, "digest "+parent)
		case q.Method == http.MethodPut && strings.HasSuffix(parent, "/manifests/"):
			kinds = append(kinds, "tag "+parent)
		case q.Method == http.MethodPut:
			kinds = append(kinds, "upload "+strings.TrimSuffix(parent, "uploads/"))
		case q.Method == http.MethodPost && q.Status == http.StatusCreated:
			kinds = append(kinds, "mount "+strings.TrimSuffix(q.Path, "uploads/"))
		}
	}
	return kinds
}

func count(list []string, prefix string) (n int) {
	for _, s := range list {
		if strings.HasPrefix(s, prefix) {
			n++
		}
	}
	return n
}

func TestPushTwoImages(t *testing.T) {
	e := newExport(t)
	r := testregistry.New(t)
	python := target(t, r, e.image("root", "python"), "lucid/python-base:latest")
	base := target(t, r, e.image("root", "python", "more"), "lucid/base:latest")
	require.NoError(t, pushAll(t.Context(), []Target{python, base}, nil))

	got := writes(r)
	// Two platforms: five layers and two configs between them, in two images.
	require.Equal(t, 2*3+2*2, count(got, "upload "), "each blob once")
	require.Equal(t, 2*2, count(got, "mount /v2/lucid/base/"), "what the images share is lent")
	require.Equal(t, 2*3, count(got, "digest "), "two manifests and an index each")
	require.Equal(t, []string{"tag /v2/lucid/python-base/manifests/", "tag /v2/lucid/base/manifests/"}, got[len(got)-2:], "the tags come last")
	firstManifest := slices.IndexFunc(got, func(s string) bool { return strings.HasPrefix(s, "digest ") })
	require.Zero(t, count(got[firstManifest:], "upload ")+count(got[firstManifest:], "mount "), "after all blobs of all images")
	requirePushed(t, python)
	requirePushed(t, base)

	r.Reset()
	require.NoError(t, pushAll(t.Context(), []Target{python, base}, nil))
	require.Empty(t, writes(r), "nothing is sent again")
}

func TestLaterPushIsLent(t *testing.T) {
	e := newExport(t)
	r := testregistry.New(t)
	lenders := Lenders{t.TempDir()}
	later := func(to Target) []string {
		r.Reset()
		_, err := Push(t.Context(), []Target{to}, nil, lenders)
		require.NoError(t, err)
		requirePushed(t, to)
		return writes(r)
	}
	later(target(t, r, e.image("root", "python"), "lucid/python-base:latest"))
	got := later(target(t, r, e.image("root", "python", "more"), "lucid/base:latest"))
	require.Equal(t, 2*2, count(got, "mount /v2/lucid/base/"), "what the earlier image has")
	require.Equal(t, 2+2, count(got, "upload "), "a layer that is its own, and a config")

	gone := target(t, r, e.image("root", "python"), "lucid/gone:latest")
	todo, err := uploads([]Target{gone})
	require.NoError(t, err)
	for _, u := range todo {
		lenders.add(u.repos[0], u.digest)
	}
	got = later(target(t, r, e.image("root", "python"), "lucid/other:latest"))
	require.Zero(t, count(got, "mount "), "the lender has nothing by now")
	require.Equal(t, 2*2+2, count(got, "upload "))
}

// A registry that lends nothing to this user, such as from a repository that is another
// team's, is sent everything.
func TestPushThatIsLentNothing(t *testing.T) {
	e := newExport(t)
	r := testregistry.New(t)
	lenders := Lenders{t.TempDir()}
	_, err := Push(t.Context(), []Target{target(t, r, e.image("root", "python"), "theirs/base:latest")}, nil, lenders)
	require.NoError(t, err)
	r.Reset()
	ours := target(t, r, e.image("root", "python", "more"), "ours/base:latest")
	_, err = Push(t.Context(), []Target{ours}, lendsNothing{http.DefaultTransport}, lenders)
	require.NoError(t, err)
	requirePushed(t, ours)
	require.Zero(t, count(writes(r), "mount "))
}

type lendsNothing struct{ http.RoundTripper }

func (l lendsNothing) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Query().Has("from") {
		return &http.Response{StatusCode: http.StatusForbidden, Status: "403 Forbidden", Request: req, Header: http.Header{}, Body: http.NoBody}, nil
	}
	return l.RoundTripper.RoundTrip(req)
}

// The image that is new comes first, what it needs is in the other's repository.
func TestPushMountsFromEarlierPush(t *testing.T) {
	e := newExport(t)
	r := testregistry.New(t)
	python := target(t, r, e.image("root", "python"), "lucid/python-base:latest")
	require.NoError(t, pushAll(t.Context(), []Target{python}, nil))
	r.Reset()
	base := target(t, r, e.image("root", "python", "more"), "lucid/base:latest")
	require.NoError(t, pushAll(t.Context(), []Target{base, python}, nil))
	require.Equal(t, 2+2, count(writes(r), "upload "), "the layer that is only in base, and its configs")
	require.Equal(t, 2*2, count(writes(r), "mount "))
}

func TestPushTwoTagsAndRegistries(t *testing.T) {
	e := newExport(t)
	one, two := testregistry.New(t), testregistry.New(t)
	img := e.image("root")
	targets := []Target{
		target(t, one, img, "base:v1.0.0"), target(t, one, img, "base:latest"), target(t, two, img, "base:latest"),
	}
	require.NoError(t, pushAll(t.Context(), targets, nil))
	for _, to := range targets {
		requirePushed(t, to)
	}
	require.Equal(t, 4, count(writes(one), "upload "))
	require.Equal(t, 4, count(writes(two), "upload "))
	require.Equal(t, 3, count(writes(one), "digest "))
	require.Equal(t, 2, count(writes(one), "tag "))
}

func TestPushRetries(t *testing.T) {
	for _, tt := range []struct {
		name  string
		fault testregistry.Fault
		waits []time.Duration
	}{
		{"ping", testregistry.Fault{Path: "/v2/", Status: 503}, []time.Duration{firstPause}},
		{"server error", testregistry.Fault{Method: "PATCH", Status: 500}, []time.Duration{firstPause}},
		{"thrice", testregistry.Fault{Path: "/manifests/latest", Method: "PUT", Status: 502, Times: 3}, []time.Duration{firstPause, 3 * firstPause, 9 * firstPause}},
		{"too many requests", testregistry.Fault{Method: "PATCH", Status: 429, RetryAfter: "7"}, []time.Duration{7 * time.Second}},
		{"too many manifests", testregistry.Fault{Method: "PUT", Path: "/manifests/", Status: 429, RetryAfter: "2"}, []time.Duration{2 * time.Second}},
		{"cut upload", testregistry.Fault{Method: "PATCH", Close: true}, []time.Duration{firstPause}},
		{"cut manifest", testregistry.Fault{Method: "PUT", Path: "/manifests/sha256", Close: true}, []time.Duration{firstPause}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := testregistry.New(t)
			to := target(t, r, newExport(t).image("root", "python"), "lucid/base:latest")
			r.Inject(tt.fault)
			var w waits
			require.NoError(t, w.push(t, to))
			require.Equal(t, tt.waits, slices.Compact(w.times), "several requests may wait at once")
			require.Equal(t, 6, len(uploaded(r)), "once each, apart from what went wrong")
			requirePushed(t, to)
		})
	}
}

// uploaded are the uploads that arrived.
func uploaded(r *testregistry.Registry) (digests []string) {
	for _, q := range r.Requests() {
		if q.Method == http.MethodPut && q.Query.Has("digest") && q.Status == http.StatusCreated {
			digests = append(digests, q.Query.Get("digest"))
		}
	}
	return digests
}

func TestPushFails(t *testing.T) {
	for _, tt := range []struct {
		name  string
		fault testregistry.Fault
		want  string // REPO stands for lucid/base in the registry, X for a digest
	}{
		{"no credentials", testregistry.Fault{Path: "lucid/base/", Status: 401, Times: 99}, "pushing to REPO: blob sha256:X: HEAD: 401 Unauthorized"},
		{"forbidden blob", testregistry.Fault{Path: "lucid/base/", Method: "POST", Status: 403, Times: 99}, "pushing to REPO: blob sha256:X: POST: 403 Forbidden: DENIED: forbidden"},
		{"forbidden manifest", testregistry.Fault{Path: "lucid/base/manifests/sha256:", Method: "PUT", Status: 403}, "pushing to REPO: sha256:X: PUT: 403 Forbidden: DENIED: forbidden"},
		{"forbidden tag", testregistry.Fault{Path: "lucid/base/manifests/latest", Method: "PUT", Status: 403}, "pushing to REPO: latest: PUT: 403 Forbidden: DENIED: forbidden"},
		{"ill for good", testregistry.Fault{Path: "lucid/base/", Method: "HEAD", Status: 500, Times: 99}, "pushing to REPO: blob sha256:X: HEAD: 500 Internal Server Error"},
		{"wrong bytes", testregistry.Fault{Path: "lucid/base/", Method: "PATCH", Corrupt: true, Times: 99}, "pushing to REPO: blob sha256:X: PUT: 400 Bad Request: DIGEST_INVALID: digest does not match contents"},
		{"cut for good", testregistry.Fault{Path: "lucid/base/", Method: "PATCH", Close: true, Times: 99}, "EOF"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := newExport(t)
			r := testregistry.New(t)
			old := e.image("old root")
			base, python := target(t, r, old, "lucid/base:latest"), target(t, r, old, "lucid/python-base:latest")
			require.NoError(t, pushAll(t.Context(), []Target{base, python}, nil))

			r.Inject(tt.fault)
			base.Index, python.Index = e.image("new root").Index(), e.image("new root", "python").Index()
			var w waits
			err := w.push(t, base, python)
			for _, part := range strings.Split(strings.ReplaceAll(tt.want, "REPO", r.Ref("lucid/base")), "X") {
				require.ErrorContains(t, err, part)
			}
			require.NotContains(t, err.Error(), "\n")

			r.Reset()
			requireTag(t, base.Tag.String(), old.Index())
			requireTag(t, python.Tag.String(), old.Index())
		})
	}
}

func TestPushWithCredentials(t *testing.T) {
	r := testregistry.New(t, testregistry.BasicAuth("ann", "secret"))
	to := target(t, r, newExport(t).image("root"), "lucid/base:latest")
	logIn(t, r.Host, "ann", "secret")
	require.NoError(t, pushAll(t.Context(), []Target{to}, nil))
	requirePushed(t, to)
}

// logIn does what docker login does, where target has made room for it.
func logIn(t *testing.T, host, user, password string) {
	auth := base64.StdEncoding.EncodeToString([]byte(user + ":" + password))
	config := fmt.Sprintf(`{"auths":{%q:{"auth":%q}}}`, host, auth)
	require.NoError(t, os.WriteFile(filepath.Join(os.Getenv("DOCKER_CONFIG"), "config.json"), []byte(config), 0o600))
}

func TestPushToNobody(t *testing.T) {
	to := target(t, &testregistry.Registry{Host: "127.0.0.1:1"}, newExport(t).image("root"), "lucid/base:latest")
	var w waits
	err := w.push(t, to)
	require.ErrorContains(t, err, "pushing to 127.0.0.1:1/lucid/base: ")
	require.ErrorContains(t, err, "connection refused")
	require.NotContains(t, err.Error(), "\n")
	require.Empty(t, w.times, "it is not there the next second either")
}

func TestPushCancelled(t *testing.T) {
	r := testregistry.New(t)
	to := target(t, r, newExport(t).image("root"), "lucid/base:latest")
	ctx, cancel := context.WithCancel(t.Context())
	r.Inject(testregistry.Fault{Method: "PATCH", Status: 429, RetryAfter: "60", Times: 99})
	ctx = patient.WithWaiter(ctx, func(ctx context.Context, _ time.Duration, _ string) error {
		cancel() // Ctrl-C while it waits
		return ctx.Err()
	})
	require.ErrorIs(t, pushAll(ctx, []Target{to}, nil), context.Canceled)
	require.Zero(t, count(writes(r), "digest ")+count(writes(r), "tag "))
}

type roundTripFunc func(*http.Request) (*http.Response, error)

func (f roundTripFunc) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// A company's certificates come with a transport of one's own.
func TestPushTransport(t *testing.T) {
	r := testregistry.New(t)
	to := target(t, r, newExport(t).image("root"), "lucid/base:latest")
	var answers atomic.Int64
	require.NoError(t, pushAll(t.Context(), []Target{to}, roundTripFunc(func(req *http.Request) (*http.Response, error) {
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err == nil {
			answers.Add(1)
		}
		return resp, err
	})))
	require.Len(t, r.Requests(), int(answers.Load()), "each request went through it")
}

func TestTemporary(t *testing.T) {
	answer := func(status int, code transport.ErrorCode) error {
		return fmt.Errorf("putting: %w", &transport.Error{StatusCode: status, Errors: []transport.Diagnostic{{Code: code}}})
	}
	for _, err := range []error{
		answer(503, "BUSY"), answer(429, transport.TooManyRequestsErrorCode), &transport.Error{StatusCode: 408},
		fmt.Errorf("sending: %w", syscall.ECONNRESET), io.ErrUnexpectedEOF,
		errors.New("stream error: stream ID 5; INTERNAL_ERROR; received from peer"), errors.New("http2: server sent GOAWAY and closed the connection"),
		&patient.SilenceError{}, &missingError{},
	} {
		require.True(t, temporary(err), "%v", err)
	}
	for _, err := range []error{
		answer(403, transport.DeniedErrorCode), answer(400, transport.DigestInvalidErrorCode), &transport.Error{StatusCode: 404},
		context.Canceled, syscall.ECONNREFUSED, &answerError{}, &patient.SilenceError{Repeated: true},
		&patient.BusyError{Answer: answer(429, transport.TooManyRequestsErrorCode)},
	} {
		require.False(t, temporary(err), "%v", err)
	}
}
