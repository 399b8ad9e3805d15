package engine

import (
	"context"
	"fmt"
	"slices"

	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/engine/internal/load"
)

// Store is an image store of this machine, or of one that its engine's settings name.
type Store string

const (
	// AnyStore is Docker or, where none answers, Podman.
	AnyStore Store = ""
	// DockerStore is the Docker that the docker command would use: that of DOCKER_HOST, of
	// a context, or the machine's own; 20.10 or later.
	DockerStore Store = load.Docker
	// PodmanStore is the Podman of CONTAINER_HOST, the user's own or root's, of which
	// podman.socket is on.
	PodmanStore Store = load.Podman
)

// ContainerdStore is the containerd that listens at an address, such as that of k3s,
// /run/k3s/containerd/containerd.sock. Images go to the namespace of CONTAINERD_NAMESPACE,
// or to Kubernetes', k8s.io.
func ContainerdStore(address string) Store { return Store(load.Containerd + address) }

// ParseStore returns the store that a text names: docker, podman, containerd:ADDRESS or,
// if it is empty, any.
func ParseStore(text string) (Store, error) { return Store(text), load.Parse(text) }

// Load puts the image into Docker or Podman, whichever answers, so that it can be run at
// once. ref is as for Push. See LoadInto.
func Load(ref string, opts ...TagOption) Destination { return LoadInto(AnyStore, ref, opts...) }

// LoadInto puts the image into a store of this machine. Podman and Docker's classic store
// take one platform of an image for several, their own; Docker with containerd's store and
// containerd take all. Layers that are there are not sent again.
func LoadInto(store Store, ref string, opts ...TagOption) Destination {
	return to(ref, loader{store}, opts)
}

// LoadError says that images were not loaded, or would not be.
type LoadError struct{ Err error }

// Error names the store and what was to be done.
func (e *LoadError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *LoadError) Unwrap() error { return e.Err }

// loader is the Output of LoadInto.
type loader struct{ store Store }

func (l loader) String() string {
	if l.store == AnyStore {
		return "loading"
	}
	return "loading into " + string(l.store)
}

// Check finds out whether the store answers, and keeps a platform of each image.
func (l loader) Check(ctx context.Context, d Delivery) error {
	return l.with(ctx, func(s load.Store) error {
		for _, img := range d.Images {
			if p := s.Platform(); p != nil && len(img.Platforms) > 1 && !slices.ContainsFunc(img.Platforms, like(*p)) {
				return fmt.Errorf("loading %s: %s keeps images for %s alone, and this one has none", img.Name, s, lucidbase.FormatPlatform(*p))
			}
		}
		return nil
	})
}

// Deliver loads the images, and says which platform of them if it is not all.
func (l loader) Deliver(ctx context.Context, d Delivery) error {
	return l.with(ctx, func(s load.Store) error {
		if err := s.Load(ctx, d.named()); err != nil {
			return fmt.Errorf("loading: %w", err)
		}
		several := func(img Image) bool { return len(img.Platforms) > 1 }
		if p := s.Platform(); p != nil && slices.ContainsFunc(d.Images, several) {
			d.Say(fmt.Sprintf("loaded %s alone: %s keeps one platform of an image", lucidbase.FormatPlatform(*p), s))
		}
		return nil
	})
}

// like returns a function that reports whether a platform is for the same processor.
func like(p ocispecs.Platform) func(ocispecs.Platform) bool {
	return func(q ocispecs.Platform) bool { return p.OS == q.OS && p.Architecture == q.Architecture }
}

// with opens the store for a function.
func (l loader) with(ctx context.Context, do func(load.Store) error) error {
	s, err := load.Open(ctx, string(l.store))
	if err == nil {
		defer s.Close()
		err = do(s)
	}
	if err != nil {
		return &LoadError{err}
	}
	return nil
}
