package image

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/lucid-project/base-images/internal/keychain"
	"github.com/lucid-project/base-images/internal/patient"
)

// ErrMoved says that a tag that was pushed is another image's by now.
var ErrMoved = errors.New("the tag is another image's")

// missingError is what a registry has taken and does not have.
type missingError struct {
	text  string
	moved bool // it has something else, which was not there before
}

func (e *missingError) Error() string { return e.text }
func (e *missingError) Is(target error) bool {
	return target == patient.ErrImpostor && !e.moved || target == ErrMoved && e.moved
}

// reader reads back what was pushed: that a registry reports success proves
// nothing, as others may answer in its place.
type reader struct {
	answers *answers

	mu      sync.Mutex
	clients map[name.Repository]*http.Client
}

// client returns one with the user's credentials for a repository.
func (r *reader) client(ctx context.Context, repo name.Repository) (*http.Client, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if c := r.clients[repo]; c != nil {
		return c, nil
	}
	auth, err := authn.Resolve(ctx, keychain.Default, repo)
	if err != nil {
		return nil, err
	}
	rt, err := transport.NewWithContext(ctx, repo.Registry, auth, r.answers, []string{repo.Scope(transport.PushScope)})
	if err != nil {
		return nil, err
	}
	if r.clients == nil {
		r.clients = map[name.Repository]*http.Client{}
	}
	r.clients[repo] = &http.Client{Transport: rt}
	return r.clients[repo], nil
}

func (r *reader) ask(ctx context.Context, method string, ref name.Reference, kind, accept string) (*http.Response, error) {
	repo := ref.Context()
	client, err := r.client(ctx, repo)
	if err != nil {
		return nil, err
	}
	url := fmt.Sprintf("%s://%s/v2/%s/%s/%s", repo.Scheme(), repo.RegistryStr(), repo.RepositoryStr(), kind, ref.Identifier())
	req, err := http.NewRequestWithContext(ctx, method, url, nil)
	if err != nil {
		return nil, err
	}
	if accept != "" {
		req.Header.Set("Accept", accept)
	}
	return client.Do(req)
}

// blob finds out whether a repository has a blob, unless its registry has said so
// in this push: by HEAD, and by GET where a registry has no answer to that.
func (r *reader) blob(ctx context.Context, repo name.Repository, digest v1.Hash) error {
	ref := repo.Digest(digest.String())
	there := func() bool {
		_, ok := r.answers.there.Load(fmt.Sprintf("%s/v2/%s/blobs/%s", repo.RegistryStr(), repo.RepositoryStr(), digest))
		return ok
	}
	if there() {
		return nil
	}
	resp, err := r.ask(ctx, http.MethodHead, ref, "blobs", "")
	if err != nil {
		return err
	}
	resp.Body.Close()
	if there() {
		return nil
	}
	resp, err = r.ask(ctx, http.MethodGet, ref, "blobs", "")
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	size := r.answers.sizes[digest]
	if err := checkRead(resp); err != nil || resp.ContentLength == size {
		return err
	}
	got, _, err := v1.SHA256(io.LimitReader(resp.Body, size+1))
	switch {
	case err != nil:
		return err
	case got != digest:
		return &missingError{text: fmt.Sprintf("reading it back: it has not the %d bytes that were sent", size)}
	}
	return nil
}

// manifest reads a manifest back by tag or digest.
func (r *reader) manifest(ctx context.Context, ref name.Reference, m manifest) error {
	want, err := m.Digest()
	if err != nil {
		return err
	}
	mediaType, err := m.MediaType()
	if err != nil {
		return err
	}
	resp, err := r.ask(ctx, http.MethodGet, ref, "manifests", string(mediaType))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if err := checkRead(resp); err != nil {
		return err
	}
	got, _, err := v1.SHA256(io.LimitReader(resp.Body, maxManifest))
	switch {
	case err != nil:
		return err
	case got != want:
		return r.another(ref, got, want)
	}
	return nil
}

// another is what to say of a reference that is something else than was pushed: what a
// tag was before, or what somebody has pushed since.
func (r *reader) another(ref name.Reference, got, want v1.Hash) error {
	text := fmt.Sprintf("reading it back: it is %s, not %s", got, want)
	before, asked := r.answers.tags.Load(fmt.Sprintf("%s/v2/%s/manifests/%s", ref.Context().RegistryStr(), ref.Context().RepositoryStr(), ref.Identifier()))
	if _, isTag := ref.(name.Tag); isTag && asked && before != got.String() {
		return &missingError{text + ", as somebody else has pushed it since", true}
	}
	return &missingError{text: text}
}

// maxManifest is what the distribution specification wants registries to take.
const maxManifest = 4 << 20

// checkRead checks that an answer has what was asked for in it.
func checkRead(resp *http.Response) error {
	err := noPage(resp)
	if err == nil && resp.StatusCode == http.StatusNotFound {
		err = &missingError{text: "404 Not Found"}
	}
	if err != nil {
		return &missingError{text: "reading it back: " + err.Error()}
	}
	return transport.CheckError(resp, http.StatusOK)
}
