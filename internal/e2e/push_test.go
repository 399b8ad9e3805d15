//go:build linux

package e2e

import (
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/crane"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/validate"
	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/testregistry"
)

// push pushes both images from the shared cache.
func (s shared) push(t *testing.T, r *testregistry.Registry) built {
	t.Helper()
	return s.build(t, command{
		args: []string{"--cache-dir", s.cache(), "--push", "--registry", r.Host + "/lucid", "--tag", "v1.0.0"},
		env:  []string{"DOCKER_CONFIG=" + t.TempDir()},
	})
}

// What is pushed can be read back whole, under the name that the command prints.
func TestPush(t *testing.T) {
	s := needEngine(t)
	s.firstBuild(t)
	r := testregistry.New(t)
	pushed := s.push(t, r)
	require.Len(t, pushed.Images, 2)
	for _, im := range pushed.Images {
		require.Equal(t, r.Ref("lucid/"+im.Name+":v1.0.0"), im.Ref)
		ref, err := name.ParseReference(im.Ref)
		require.NoError(t, err)
		index, err := remote.Index(ref)
		require.NoError(t, err)
		require.NoError(t, validate.Index(index), "with every byte read")
		digest, err := index.Digest()
		require.NoError(t, err)
		require.Equal(t, im.Digest, digest.String())
		requirePlatforms(t, index, im.Platforms[0].Digest, im.Platforms[1].Digest)
	}
	r.Reset()
	require.Equal(t, pushed.Images, s.push(t, r).Images)
	for _, q := range r.Requests() {
		require.Contains(t, []string{http.MethodGet, http.MethodHead}, q.Method, "%s: it is all there", q)
	}
}

// requirePlatforms compares the index with the digests for AMD64 and ARM64.
func requirePlatforms(t *testing.T, index v1.ImageIndex, amd64, arm64 string) {
	t.Helper()
	manifest, err := index.IndexManifest()
	require.NoError(t, err)
	got := map[string]string{}
	for _, m := range manifest.Manifests {
		img, err := index.Image(m.Digest)
		require.NoError(t, err)
		config, err := img.ConfigFile()
		require.NoError(t, err)
		require.Equal(t, "v1.0.0", config.Config.Labels["org.opencontainers.image.version"])
		require.Equal(t, m.Platform.Architecture, config.Architecture)
		got[m.Platform.OS+"/"+m.Platform.Architecture] = m.Digest.String()
	}
	require.Equal(t, map[string]string{"linux/amd64": amd64, "linux/arm64": arm64}, got)
}

// Blobs that both images have are uploaded once and lent to the other
// repository; the tags come last.
func TestPushOrderAndSharing(t *testing.T) {
	s := needEngine(t)
	s.firstBuild(t)
	r := testregistry.New(t)
	s.push(t, r)
	shared := map[v1.Hash]bool{}
	for _, arch := range []string{"amd64", "arm64"} {
		for _, l := range layersOf(t, filepath.Join(s.dir, "dist", "python-base"), arch) {
			shared[l] = true
		}
	}
	uploads, mounts := map[string]int{}, map[string]int{}
	var manifests []string
	for _, q := range r.Requests() {
		switch {
		case q.Method == http.MethodPut && strings.Contains(q.Path, "/manifests/"):
			manifests = append(manifests, q.Path)
		case q.Method == http.MethodPut:
			uploads[q.Query.Get("digest")]++
		case q.Method == http.MethodPost && q.Status == http.StatusCreated:
			mounts[q.Query.Get("mount")]++
		}
	}
	for digest, n := range uploads {
		require.Equal(t, 1, n, "%s is uploaded again", digest)
	}
	// base has all of python-base's layers and some of its own.
	require.Len(t, mounts, len(shared))
	for l := range shared {
		require.Equal(t, 1, mounts[l.String()], l)
	}
	require.Len(t, manifests, 8, "two manifests, an index and a tag for each image")
	for _, path := range manifests[:6] {
		require.Contains(t, path, "/manifests/sha256:")
	}
	require.ElementsMatch(t, []string{"/v2/lucid/base/manifests/v1.0.0", "/v2/lucid/python-base/manifests/v1.0.0"}, manifests[6:])
}

func TestPushSurvivesARegistryInTrouble(t *testing.T) {
	s := needEngine(t)
	s.firstBuild(t)
	r := testregistry.New(t)
	faults := []testregistry.Fault{
		{Method: http.MethodPost, Path: "/blobs/", Skip: 1, Status: http.StatusTooManyRequests, RetryAfter: "1"},
		{Method: http.MethodPatch, Close: true},
		{Method: http.MethodPut, Path: "/manifests/sha256:", Skip: 1, Status: http.StatusInternalServerError},
		{Method: http.MethodPut, Path: "/manifests/v1.0.0", Status: http.StatusServiceUnavailable},
	}
	for _, f := range faults {
		r.Inject(f)
	}
	for _, im := range s.push(t, r).Images {
		digest, err := crane.Digest(im.Ref)
		require.NoError(t, err)
		require.Equal(t, im.Digest, digest)
	}
	met := map[int]int{}
	for _, q := range r.Requests() {
		met[q.Status]++
	}
	for _, status := range []int{0, http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusServiceUnavailable} {
		require.Equal(t, 1, met[status], "status %d", status)
	}
}

// When one image cannot be pushed, the other's tag does not move either.
func TestPushThatFailsLeavesNoTag(t *testing.T) {
	s := needEngine(t)
	s.firstBuild(t)
	r := testregistry.New(t)
	r.Inject(testregistry.Fault{Method: http.MethodPut, Path: "/python-base/manifests/", Status: http.StatusInternalServerError, Times: 1000})
	s.refuse(t, command{
		args: []string{"build", "base", "python-base", "--cache-dir", s.cache(), "--push", "--registry", r.Host + "/lucid"},
		env:  []string{"DOCKER_CONFIG=" + t.TempDir()},
	}, "pushing to "+r.Host+"/lucid/python-base", "500 Internal Server Error")
	for _, q := range r.Requests() {
		require.NotContains(t, q.Path, "/manifests/latest", "%s", q)
	}
	for _, image := range []string{"base", "python-base"} {
		_, err := crane.Digest(r.Ref("lucid/" + image + ":latest"))
		require.Error(t, err)
	}
}

// Something that answers in the registry's place and reports success, after it has
// asked to wait; then a registry that does not answer at all.
func TestPushThatWasNone(t *testing.T) {
	s := needEngine(t)
	s.firstBuild(t)
	r := testregistry.New(t)
	tag := testregistry.Fault{Method: http.MethodPut, Path: "/base/manifests/latest", Times: 1000}
	page, silence := tag, tag
	page.Page, page.Status = true, http.StatusCreated
	silence.Delay, silence.Status = time.Hour, http.StatusInternalServerError
	r.Inject(testregistry.Fault{Method: http.MethodPost, Status: http.StatusTooManyRequests, RetryAfter: "1"})
	r.Inject(page)
	c := command{
		args: []string{"build", "base", "--cache-dir", s.cache(), "--push", "--registry", r.Host + "/lucid"},
		env:  []string{"DOCKER_CONFIG=" + t.TempDir()},
	}
	plain := c
	plain.args = append(slices.Clone(c.args), "--progress", "plain")
	res := s.run(t, plain)
	require.Equal(t, 1, res.code, res.stderr)
	require.Contains(t, res.stderr, "waiting 1s for "+r.Host+", which asks for it (429 Too Many Requests)")
	require.Contains(t, res.stderr, "pushing to "+r.Host+"/lucid/base: latest: PUT: 201 Created with a web page")

	r.Reset()
	r.Inject(silence)
	c.args = append(c.args, "--registry-timeout", "2s")
	s.refuse(t, c, "pushing to "+r.Host+"/lucid/base: latest: PUT: no answer, and no byte taken, in 4s", "check --registry")
	_, err := crane.Digest(r.Ref("lucid/base:latest"))
	require.Error(t, err)
}

// Skopeo reads what is pushed, and pushes what is written.
func TestPushAndSkopeo(t *testing.T) {
	s := needEngine(t)
	if _, err := exec.LookPath("skopeo"); err != nil {
		missing(t, "skopeo reads what is pushed")
	}
	written := s.firstBuild(t)
	r := testregistry.New(t)
	for _, im := range s.push(t, r).Images {
		raw := output(t, "skopeo", "inspect", "--raw", "--tls-verify=false", "docker://"+im.Ref)
		digest, size, err := v1.SHA256(strings.NewReader(raw))
		require.NoError(t, err)
		require.Equal(t, im.Digest, digest.String(), "%d bytes", size)
	}
	for _, im := range written.Images {
		ref := r.Ref("copied/" + im.Name + ":latest")
		output(t, "skopeo", "--insecure-policy", "copy", "--all", "--dest-tls-verify=false",
			"oci:"+filepath.Join(s.dir, "dist", im.Name)+":latest", "docker://"+ref)
		digest, err := crane.Digest(ref)
		require.NoError(t, err)
		require.Equal(t, im.Digest, digest)
	}
}
