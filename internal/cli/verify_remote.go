package cli

import (
	"context"
	"fmt"
	"io"
	"net/http"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/lucid-project/base-images/lucidbase/verify"
)

// remoteContent is what a registry has in a repository. go-containerregistry
// hashes whatever arrives.
type remoteContent struct {
	ctx    context.Context
	puller *remote.Puller
	repo   name.Repository
}

// remoteSubject asks a registry for an image, with the user's own Docker
// credentials.
func remoteSubject(ctx context.Context, ref name.Reference, rt http.RoundTripper, store verify.Store) (subject, error) {
	puller, err := remote.NewPuller(remote.WithAuthFromKeychain(authn.DefaultKeychain), remote.WithTransport(rt))
	if err != nil {
		return subject{}, err
	}
	found, err := puller.Get(ctx, ref)
	if err != nil {
		return subject{}, oneLine(err)
	}
	c := remoteContent{ctx, puller, ref.Context()}
	s := subject{name: ref.String(), store: store}
	s.index, err = topIndex(c, found.Descriptor)
	return s, err
}

func (r remoteContent) manifest(desc v1.Descriptor) ([]byte, error) {
	found, err := r.puller.Get(r.ctx, r.repo.Digest(desc.Digest.String()))
	if err != nil {
		return nil, oneLine(err)
	}
	return found.Manifest, nil
}

func (r remoteContent) blob(desc v1.Descriptor) (io.ReadCloser, error) {
	layer, err := r.puller.Layer(r.ctx, r.repo.Digest(desc.Digest.String()))
	if err != nil {
		return nil, oneLine(err)
	}
	blob, err := layer.Compressed()
	if err != nil {
		return nil, oneLine(err)
	}
	return &sized{ReadCloser: blob, desc: desc}, nil
}

// sized ends with an error when a blob has another size than its descriptor says.
type sized struct {
	io.ReadCloser
	desc v1.Descriptor
	n    int64
}

func (s *sized) Read(p []byte) (int, error) {
	n, err := s.ReadCloser.Read(p)
	s.n += int64(n)
	if s.n > s.desc.Size || err == io.EOF && s.n < s.desc.Size {
		return n, fmt.Errorf("blob %s: its size is not that of its descriptor: %d bytes read of %d", s.desc.Digest, s.n, s.desc.Size)
	}
	return n, err
}
