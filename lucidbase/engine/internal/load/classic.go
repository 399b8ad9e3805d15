package load

import (
	"context"
	"io"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"

	"github.com/lucid-project/base-images/lucidbase/engine/internal/image"
)

// asked is how many questions a daemon is asked at once.
const asked = 8

// classicStore is Docker's own store, of graph drivers: an image there is for one
// platform. It reads no layer of a tar that it has below an image, see
// https://github.com/moby/moby/blob/v28.5.2/image/tarexport/load.go#L107.
type classicStore struct{ *daemon }

func (c *classicStore) Platform() *ocispecs.Platform { return &c.platform }

// Load sends the layers that the store does not have on top of those that it has.
func (c *classicStore) Load(ctx context.Context, images []image.Named) error {
	chains, err := c.chains(ctx)
	if err != nil {
		return err
	}
	omitted := false
	have := func(diffIDs []v1.Hash) int {
		n := 0
		for _, chain := range chains {
			n = max(n, shared(chain, diffIDs))
		}
		omitted = omitted || n > 0
		return n
	}
	if err := c.send(ctx, images, have); err != nil {
		if !omitted || ctx.Err() != nil {
			return err
		}
		// Somebody may have removed an image meanwhile.
		if err := c.send(ctx, images, func([]v1.Hash) int { return 0 }); err != nil {
			return err
		}
	}
	return c.confirmed(ctx, images)
}

func (c *classicStore) send(ctx context.Context, images []image.Named, have func([]v1.Hash) int) error {
	return c.load(ctx, func(w io.Writer) error {
		return image.WriteDockerTar(ctx, w, images, c.platform, have)
	})
}

// shared returns how many layers two images have in common, from the lowest.
func shared(a, b []v1.Hash) int {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return n
}

// chains returns the diff IDs of every image of the daemon.
func (d *daemon) chains(ctx context.Context) ([][]v1.Hash, error) {
	var images []struct{ ID string }
	if err := d.get(ctx, "/images/json", &images); err != nil {
		return nil, err
	}
	var mu sync.Mutex
	var chains [][]v1.Hash
	eg, ctx := errgroup.WithContext(ctx)
	eg.SetLimit(asked)
	for _, img := range images {
		eg.Go(func() error {
			var found struct{ RootFS struct{ Layers []v1.Hash } }
			if err := d.get(ctx, "/images/"+img.ID+"/json", &found); err != nil {
				return nil //nolint:nilerr // an image that was removed meanwhile has no layers
			}
			mu.Lock()
			defer mu.Unlock()
			chains = append(chains, found.RootFS.Layers)
			return nil
		})
	}
	err := eg.Wait()
	return chains, err
}

// confirmed finds out whether all names are the images' configs of this platform.
func (d *daemon) confirmed(ctx context.Context, images []image.Named) error {
	for _, n := range images {
		img, err := image.OfPlatform(n.Index, d.platform)
		if err != nil {
			return err
		}
		id, err := img.ConfigName()
		if err != nil {
			return err
		}
		for _, tag := range n.Tags {
			if err := d.confirm(ctx, tag, id.String()); err != nil {
				return err
			}
		}
	}
	return nil
}
