package testregistry

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"path"
	"regexp"
	"strings"
	"sync"

	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// serve answers what go-containerregistry's registry does not know or check, and
// leaves the rest to it.
func (r *Registry) serve(w http.ResponseWriter, req *http.Request) {
	switch {
	case req.Method == http.MethodPost && req.URL.Query().Get("mount") != "":
		r.mount(w, req)
	case req.Method == http.MethodPut && strings.Contains(req.URL.Path, "/manifests/"):
		r.putManifest(w, req)
	default:
		r.inner.ServeHTTP(w, req)
	}
}

var repoInPath = regexp.MustCompile(`^/v2/(.+)/(blobs|manifests)/`)

func repository(req *http.Request) string {
	if m := repoInPath.FindStringSubmatch(req.URL.Path); m != nil {
		return m[1]
	}
	return ""
}

// mount lends a blob from one repository to another, or else starts an upload.
func (r *Registry) mount(w http.ResponseWriter, req *http.Request) {
	q := req.URL.Query()
	if r.blobs.mount(q.Get("mount"), q.Get("from"), repository(req)) {
		w.Header().Set("Location", "/v2/"+repository(req)+"/blobs/"+q.Get("mount"))
		w.WriteHeader(http.StatusCreated)
		return
	}
	r.inner.ServeHTTP(w, req)
}

// putManifest refuses what has another digest than it is named by, and an image whose
// blobs are not in its repository.
func (r *Registry) putManifest(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if want := path.Base(req.URL.Path); strings.HasPrefix(want, "sha256:") && want != fmt.Sprintf("sha256:%x", sha256.Sum256(body)) {
		refuse(w, http.StatusBadRequest)
		return
	}
	req.Body = io.NopCloser(bytes.NewReader(body))
	if !types.MediaType(req.Header.Get("Content-Type")).IsImage() {
		r.inner.ServeHTTP(w, req)
		return
	}
	m, err := v1.ParseManifest(bytes.NewReader(body))
	if err != nil {
		refuse(w, http.StatusBadRequest)
		return
	}
	for _, desc := range append(m.Layers, m.Config) {
		if _, ok := r.blobs.get(repository(req), desc.Digest.String()); !ok {
			refuse(w, http.StatusNotFound)
			return
		}
	}
	r.inner.ServeHTTP(w, req)
}

// blobs keeps the blobs of each repository in memory.
type blobs struct {
	mu   sync.Mutex
	byID map[string][]byte // repository + "@" + digest
}

func newBlobs() *blobs { return &blobs{byID: map[string][]byte{}} }

// Size returns how many bytes of blobs the registry holds, each blob counted once,
// however many repositories have it.
func (r *Registry) Size() int64 {
	r.blobs.mu.Lock()
	defer r.blobs.mu.Unlock()
	sizes, sum := map[string]int64{}, int64(0)
	for id, blob := range r.blobs.byID {
		_, digest, _ := strings.Cut(id, "@")
		sizes[digest] = int64(len(blob))
	}
	for _, size := range sizes {
		sum += size
	}
	return sum
}

func (b *blobs) get(repo, digest string) ([]byte, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	blob, ok := b.byID[repo+"@"+digest]
	return blob, ok
}

func (b *blobs) mount(digest, from, to string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	blob, ok := b.byID[from+"@"+digest]
	if ok {
		b.byID[to+"@"+digest] = blob
	}
	return ok
}

// Stat implements registry.BlobStatHandler.
func (b *blobs) Stat(_ context.Context, repo string, h v1.Hash) (int64, error) {
	blob, ok := b.get(repo, h.String())
	if !ok {
		return 0, registry.ErrNotFound
	}
	return int64(len(blob)), nil
}

// Get implements registry.BlobHandler.
func (b *blobs) Get(_ context.Context, repo string, h v1.Hash) (io.ReadCloser, error) {
	blob, ok := b.get(repo, h.String())
	if !ok {
		return nil, registry.ErrNotFound
	}
	return io.NopCloser(bytes.NewReader(blob)), nil
}

// Put implements registry.BlobPutHandler.
func (b *blobs) Put(_ context.Context, repo string, h v1.Hash, rc io.ReadCloser) error {
	blob, err := io.ReadAll(rc)
	if err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	// The wrapped registry takes the upload's path for a part of the name.
	b.byID[strings.TrimSuffix(repo, "/blobs")+"@"+h.String()] = blob
	return nil
}
