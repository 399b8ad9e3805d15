package testregistry_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/crane"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/validate"
	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/testregistry"
)

func image(t *testing.T) v1.Image {
	img, err := random.Image(1000, 2)
	require.NoError(t, err)
	return img
}

// once makes an option that does not retry.
func once() crane.Option {
	return func(o *crane.Options) {
		o.Remote = append(o.Remote, remote.WithRetryBackoff(remote.Backoff{Steps: 1}))
	}
}

func TestPushAndPull(t *testing.T) {
	r := testregistry.New(t)
	img := image(t)
	require.NoError(t, crane.Push(img, r.Ref("lucid/base:latest")))
	got, err := crane.Pull(r.Ref("lucid/base:latest"))
	require.NoError(t, err)
	require.NoError(t, validate.Image(got))

	requests := r.Requests()
	require.Equal(t, "GET /v2/ 200", requests[0].String())
	var puts []string
	for _, q := range requests {
		if q.Method == http.MethodPut && strings.Contains(q.Path, "/manifests/") {
			puts = append(puts, q.String())
		}
	}
	require.Equal(t, []string{"PUT /v2/lucid/base/manifests/latest 201"}, puts)
	r.Reset()
	require.Empty(t, r.Requests())
}

func TestRepositoriesAreApart(t *testing.T) {
	r := testregistry.New(t)
	img := image(t)
	require.NoError(t, crane.Push(img, r.Ref("a:1")))
	layers, err := img.Layers()
	require.NoError(t, err)
	digest, err := layers[0].Digest()
	require.NoError(t, err)
	_, err = crane.Head(r.Ref("b@" + digest.String()))
	require.ErrorContains(t, err, "404")

	post := func(query string) int {
		resp, err := http.Post("http://"+r.Host+"/v2/b/blobs/uploads/?"+query, "", nil)
		require.NoError(t, err)
		resp.Body.Close()
		return resp.StatusCode
	}
	mount := "mount=" + digest.String()
	held := r.Size()
	require.Positive(t, held)
	require.Equal(t, http.StatusAccepted, post(mount+"&from=c"), "nothing to mount starts an upload")
	require.Equal(t, http.StatusCreated, post(mount+"&from=a"))
	resp, err := http.Head("http://" + r.Host + "/v2/b/blobs/" + digest.String())
	require.NoError(t, err)
	resp.Body.Close()
	require.Equal(t, http.StatusOK, resp.StatusCode)
	require.Equal(t, held, r.Size(), "the same blob in another repository")
}

func TestManifestNeedsItsBlobs(t *testing.T) {
	r := testregistry.New(t)
	ref, err := name.ParseReference(r.Ref("a:1"))
	require.NoError(t, err)
	require.ErrorContains(t, remote.Put(ref, image(t)), "MANIFEST_BLOB_UNKNOWN")
}

func TestBasicAuth(t *testing.T) {
	r := testregistry.New(t, testregistry.BasicAuth("ann", "secret"))
	img := image(t)
	require.ErrorContains(t, crane.Push(img, r.Ref("a:1"), crane.WithAuth(authn.Anonymous)), "401")
	require.NoError(t, crane.Push(img, r.Ref("a:1"), crane.WithAuth(&authn.Basic{Username: "ann", Password: "secret"})))
}

func TestFaults(t *testing.T) {
	for _, tt := range []struct {
		name  string
		fault testregistry.Fault
		want  string // in the error; empty means none
	}{
		{"none", testregistry.Fault{}, ""},
		{"status", testregistry.Fault{Status: http.StatusForbidden}, "DENIED"},
		{"after the first", testregistry.Fault{Method: http.MethodPatch, Skip: 1, Status: http.StatusInternalServerError}, "UNKNOWN"},
		{"after all", testregistry.Fault{Method: http.MethodPatch, Skip: 3, Status: http.StatusInternalServerError}, ""},
		{"request cut", testregistry.Fault{Method: http.MethodPatch, Close: true}, "EOF"},
		{"wrong bytes sent", testregistry.Fault{Method: http.MethodPatch, Corrupt: true}, "DIGEST_INVALID"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := testregistry.New(t)
			r.Inject(tt.fault)
			err := crane.Push(image(t), r.Ref("a:1"), once())
			if tt.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tt.want)
		})
	}
}

func TestAnswers(t *testing.T) {
	r := testregistry.New(t)
	img := image(t)
	require.NoError(t, crane.Push(img, r.Ref("a:1")))
	want, err := img.RawManifest()
	require.NoError(t, err)
	get := func() (status int, retryAfter string, body []byte, err error) {
		resp, err := http.Get("http://" + r.Host + "/v2/a/manifests/1")
		require.NoError(t, err)
		defer resp.Body.Close()
		body, err = io.ReadAll(resp.Body)
		return resp.StatusCode, resp.Header.Get("Retry-After"), body, err
	}

	r.Inject(testregistry.Fault{Close: true})
	_, _, body, err := get()
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.Equal(t, want[:len(want)/2], body)

	r.Inject(testregistry.Fault{Corrupt: true})
	_, _, body, err = get()
	require.NoError(t, err)
	require.Len(t, body, len(want))
	require.NotEqual(t, want, body)

	r.Inject(testregistry.Fault{Status: http.StatusTooManyRequests, RetryAfter: "7", Times: 2})
	for range 2 {
		status, retryAfter, _, _ := get()
		require.Equal(t, http.StatusTooManyRequests, status)
		require.Equal(t, "7", retryAfter)
	}
	_, _, body, err = get()
	require.NoError(t, err)
	require.Equal(t, want, body)
}

// A slow answer ends with the client's patience and does not hold up the test.
func TestSlow(t *testing.T) {
	r := testregistry.New(t)
	r.Inject(testregistry.Fault{Delay: time.Hour})
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
	defer cancel()
	_, err := crane.Head(r.Ref("a:1"), crane.WithContext(ctx), once())
	require.ErrorIs(t, err, context.DeadlineExceeded)
}
