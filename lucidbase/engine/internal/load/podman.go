package load

import (
	"context"
	"io"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/lucid-project/base-images/lucidbase/engine/internal/image"
)

// podman is Podman's store: of an image for several platforms it takes its own. It reads
// no layer of a tar that it has in any image, and takes one image of a tar.
type podman struct{ *daemon }

func (p *podman) Platform() *ocispecs.Platform { return &p.platform }

// Load sends each image by itself.
func (p *podman) Load(ctx context.Context, images []image.Named) error {
	for _, n := range images {
		chains, err := p.chains(ctx) // with the image before
		if err != nil {
			return err
		}
		for _, tag := range n.Tags {
			one := image.Named{Index: n.Index, Tags: []name.Tag{tag}}
			if err := p.loadOne(ctx, one, chains); err != nil {
				return err
			}
		}
	}
	return p.confirmed(ctx, images)
}

func (p *podman) loadOne(ctx context.Context, n image.Named, chains [][]v1.Hash) error {
	needed, err := p.needed(n, chains)
	if err != nil {
		return err
	}
	err = p.send(ctx, n, needed)
	if err == nil || ctx.Err() != nil || len(chains) == 0 {
		return err
	}
	// It may have a layer that was compressed otherwise, or not any more.
	if needed, err = p.needed(n, nil); err != nil {
		return err
	}
	return p.send(ctx, n, needed)
}

func (p *podman) send(ctx context.Context, n image.Named, needed map[digest.Digest]bool) error {
	return p.load(ctx, func(w io.Writer) error {
		return image.WriteTar(ctx, w, []image.Named{n}, func(d digest.Digest) bool { return !needed[d] })
	})
}

// needed returns the blobs of Podman's platform without the layers of chains.
func (p *podman) needed(n image.Named, chains [][]v1.Hash) (map[digest.Digest]bool, error) {
	there := map[v1.Hash]bool{}
	for _, chain := range chains {
		for _, diffID := range chain {
			there[diffID] = true
		}
	}
	img, err := image.OfPlatform(n.Index, p.platform)
	if err != nil {
		return nil, err
	}
	needed := map[digest.Digest]bool{}
	for _, part := range []func() (v1.Hash, error){n.Index.Digest, img.Digest, img.ConfigName} {
		h, err := part()
		if err != nil {
			return nil, err
		}
		needed[digest.Digest(h.String())] = true
	}
	layers, err := img.Layers()
	if err != nil {
		return nil, err
	}
	for _, l := range layers {
		diffID, err := l.DiffID()
		if err != nil {
			return nil, err
		}
		h, err := l.Digest()
		if err != nil {
			return nil, err
		}
		if !there[diffID] {
			needed[digest.Digest(h.String())] = true
		}
	}
	return needed, nil
}
