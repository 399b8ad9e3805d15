package load

import (
	"context"
	"io"
	"net"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/content/proxy"
	"github.com/containerd/errdefs"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/lucid-project/base-images/lucidbase/engine/internal/image"
)

// containerdStore is Docker with containerd's image store, which keeps all platforms.
type containerdStore struct{ *daemon }

// Platform is none: all are kept.
func (*containerdStore) Platform() *ocispecs.Platform { return nil }

// Load sends the blobs that the store does not have. What these are Docker's API does not
// say, but its BuildKit does, whose content store is the same one.
func (c *containerdStore) Load(ctx context.Context, images []image.Named) error {
	conn, err := c.buildKit()
	if err != nil {
		return err
	}
	defer conn.Close()
	store := proxy.NewContentStore(conn)
	there := present(ctx, store, images)
	if err := c.send(ctx, images, there); err != nil {
		if len(there) == 0 || ctx.Err() != nil {
			return err
		}
		return c.loadAll(ctx, images)
	}
	// A blob that no image needed may have been dropped before this one needed it.
	if len(there) > 0 && !containsAll(present(ctx, store, images), there) {
		return c.loadAll(ctx, images)
	}
	return c.confirmIndexes(ctx, images)
}

func (c *containerdStore) loadAll(ctx context.Context, images []image.Named) error {
	if err := c.send(ctx, images, nil); err != nil {
		return err
	}
	return c.confirmIndexes(ctx, images)
}

func (c *containerdStore) send(ctx context.Context, images []image.Named, there map[digest.Digest]bool) error {
	return c.load(ctx, func(w io.Writer) error {
		return image.WriteTar(ctx, w, images, func(d digest.Digest) bool { return there[d] })
	})
}

func (c *containerdStore) confirmIndexes(ctx context.Context, images []image.Named) error {
	for _, n := range images {
		id, err := n.Index.Digest()
		if err != nil {
			return err
		}
		for _, tag := range n.Tags {
			if err := c.confirm(ctx, tag, id.String()); err != nil {
				return err
			}
		}
	}
	return nil
}

// present returns which layers of images a store has. One that cannot be asked has none.
// Configs and manifests are sent always: BuildKit says that it has those of its history,
// which Docker's images do not see.
func present(ctx context.Context, store content.InfoProvider, images []image.Named) map[digest.Digest]bool {
	all := map[digest.Digest]int64{}
	for _, n := range images {
		blobs, err := image.Blobs(n.Index)
		if err != nil {
			return nil // sending them says why
		}
		for _, b := range blobs {
			if types.MediaType(b.MediaType).IsLayer() {
				all[b.Digest] = b.Size
			}
		}
	}
	found := make(chan digest.Digest, len(all))
	eg, ctx := errgroup.WithContext(ctx)
	eg.SetLimit(asked)
	for d, size := range all {
		eg.Go(func() error {
			info, err := store.Info(ctx, d)
			if err == nil && info.Size == size {
				found <- d
			}
			if errdefs.IsNotFound(err) {
				return nil
			}
			return err
		})
	}
	if eg.Wait() != nil {
		return nil
	}
	close(found)
	there := map[digest.Digest]bool{}
	for d := range found {
		there[d] = true
	}
	return there
}

func containsAll(all, some map[digest.Digest]bool) bool {
	for d := range some {
		if !all[d] {
			return false
		}
	}
	return true
}

// buildKit connects to the daemon's BuildKit.
func (d *daemon) buildKit() (*grpc.ClientConn, error) {
	return grpc.NewClient("passthrough:///docker",
		grpc.WithTransportCredentials(insecure.NewCredentials()), // the daemon's own connection is underneath
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return d.BuildKit(ctx, "/grpc", "h2c", nil) }))
}
