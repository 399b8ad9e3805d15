package load

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"

	"github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/pkg/namespaces"
	"github.com/containerd/errdefs"
	"github.com/google/go-containerregistry/pkg/name"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/lucid-project/base-images/lucidbase/engine/internal/image"
)

// kubernetes is the namespace of containerd in which Kubernetes looks for images.
const kubernetes = "k8s.io"

// containerd is a containerd by itself, such as that of k3s or of a node of kind.
type containerd struct {
	address string
	client  *client.Client
}

// openContainerd connects to the containerd at an address. Its namespace is that of
// CONTAINERD_NAMESPACE, as for ctr, or Kubernetes'.
func openContainerd(ctx context.Context, address string) (Store, error) {
	address = strings.TrimPrefix(address, "unix://")
	namespace := os.Getenv(namespaces.NamespaceEnvVar)
	if namespace == "" {
		namespace = kubernetes
	}
	// containerd's client tries for long, and its errors are text.
	conn, err := new(net.Dialer).DialContext(ctx, "unix", address)
	if err == nil {
		err = conn.Close()
	}
	if err != nil {
		var op *net.OpError
		if errors.As(err, &op) {
			err = op.Err
		}
		return nil, fmt.Errorf("connecting to containerd at %s: %w", address, err)
	}
	c, err := client.New(address, client.WithDefaultNamespace(namespace), client.WithTimeout(answerTime))
	if err == nil {
		_, err = c.Version(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("connecting to containerd at %s: %w", address, lineError{err, ": "})
	}
	return &containerd{address, c}, nil
}

// Platform is none: all are kept.
func (*containerd) Platform() *ocispecs.Platform { return nil }

func (c *containerd) String() string { return "containerd at " + c.address }

func (c *containerd) Close() error { return c.client.Close() }

// Load writes the blobs that the store does not have, names the images and unpacks the
// platform of this machine.
func (c *containerd) Load(ctx context.Context, all []image.Named) error {
	ctx, done, err := c.client.WithLease(ctx) // nothing is dropped until the image holds it
	if err != nil {
		return fmt.Errorf("%s: %w", c, err)
	}
	for _, n := range all {
		if err = c.loadOne(ctx, n); err != nil {
			break
		}
	}
	ended := done(context.WithoutCancel(ctx))
	if err == nil {
		err = ended
	}
	if err != nil {
		return fmt.Errorf("%s: %w", c, lineError{err, ": "})
	}
	return nil
}

func (c *containerd) loadOne(ctx context.Context, n image.Named) error {
	store := c.client.ContentStore()
	there := present(ctx, store, []image.Named{n})
	blobs, err := image.Blobs(n.Index)
	if err != nil {
		return err
	}
	for _, b := range blobs {
		if there[b.Digest] {
			continue
		}
		if err := write(ctx, store, b); err != nil {
			return fmt.Errorf("writing %s: %w", b.Digest, err)
		}
	}
	top := blobs[len(blobs)-1].Descriptor
	// Labels say which blob refers to which others: these are kept as long as it is.
	if err := images.Walk(ctx, images.SetChildrenMappedLabels(store, images.ChildrenHandler(store), nil), top); err != nil {
		return err
	}
	for _, tag := range n.Tags {
		if err := c.name(ctx, tag, top); err != nil {
			return err
		}
	}
	return nil
}

// write writes a blob that the store does not have.
func write(ctx context.Context, store content.Store, b image.Blob) error {
	w, err := content.OpenWriter(ctx, store, content.WithRef("lucidbase-"+b.Digest.String()), content.WithDescriptor(b.Descriptor))
	if errdefs.IsAlreadyExists(err) {
		return nil
	}
	if err != nil {
		return err
	}
	defer w.Close()
	if err := w.Truncate(0); err != nil { // an interrupted load may have left a part
		return err
	}
	if err := b.Copy(ctx, w); err != nil {
		return err
	}
	if err := w.Commit(ctx, b.Size, b.Digest); err != nil && !errdefs.IsAlreadyExists(err) {
		return err
	}
	return nil
}

// name names an image, and unpacks it.
func (c *containerd) name(ctx context.Context, tag name.Tag, top ocispecs.Descriptor) error {
	img := images.Image{Name: image.WholeName(tag), Target: top}
	store := c.client.ImageService()
	made, err := store.Update(ctx, img, "target")
	if errdefs.IsNotFound(err) {
		made, err = store.Create(ctx, img)
	}
	if err != nil {
		return fmt.Errorf("naming %s: %w", img.Name, err)
	}
	if err := client.NewImage(c.client, made).Unpack(ctx, ""); err != nil {
		return fmt.Errorf("unpacking %s: %w", img.Name, err)
	}
	return nil
}
