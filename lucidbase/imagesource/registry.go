package imagesource

import (
	"context"
	"fmt"
	"io"
	"net/http"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/lucid-project/base-images/internal/keychain"
)

// remoteContent is what a registry has in a repository. go-containerregistry
// hashes whatever arrives.
type remoteContent struct {
	ctx    context.Context
	puller *remote.Puller
	repo   name.Repository
}

// Fetch asks a registry for an image, with the user's own Docker credentials, or without any
// where the helper that keeps them is not installed. Layers are fetched when they are read, with ctx. transport reaches the registry; nil is
// go-containerregistry's own, remote.DefaultTransport.
func Fetch(ctx context.Context, ref name.Reference, transport http.RoundTripper) (Image, error) {
	if transport == nil {
		transport = remote.DefaultTransport
	}
	puller, err := remote.NewPuller(remote.WithAuthFromKeychain(keychain.Pull(nil)), remote.WithTransport(transport))
	if err != nil {
		return Image{}, err
	}
	found, err := puller.Get(ctx, ref)
	if err != nil {
		return Image{}, err
	}
	c := remoteContent{ctx, puller, ref.Context()}
	img := Image{Name: ref.String(), Hashed: true}
	img.Index, err = topIndex(c, found.Descriptor)
	return img, err
}

func (r remoteContent) manifest(desc v1.Descriptor) ([]byte, error) {
	found, err := r.puller.Get(r.ctx, r.repo.Digest(desc.Digest.String()))
	if err != nil {
		return nil, err
	}
	return found.Manifest, nil
}

// Blob opens a blob that has its descriptor's size and digest.
func (r remoteContent) Blob(desc v1.Descriptor) (io.ReadCloser, error) {
	layer, err := r.puller.Layer(r.ctx, r.repo.Digest(desc.Digest.String()))
	if err != nil {
		return nil, err
	}
	blob, err := layer.Compressed()
	if err != nil {
		return nil, err
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
