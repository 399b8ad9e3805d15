package lucidtest

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"

	"github.com/lucid-project/base-images/internal/sandbox"
	"github.com/lucid-project/base-images/lucidbase"
)

// Run builds a Spec's image and starts it. It returns when all that the options wait
// for is there; what goes wrong ends the test, with the last lines of the log.
//
// The container's host name is the image's title (the label
// org.opencontainers.image.title): for a service, its name.
func Run(t testing.TB, spec lucidbase.Spec, opts ...Option) *Container {
	t.Helper()
	o := newOptions(opts)
	return run(t, build(t, spec, o.target()), o)
}

// RunImage is Run for an image of any origin.
func RunImage(t testing.TB, img v1.Image, opts ...Option) *Container {
	t.Helper()
	return run(t, img, newOptions(opts))
}

// target is the platform whose image is run.
func (o options) target() ocispecs.Platform {
	if o.platform != nil {
		return *o.platform
	}
	return machine()
}

func run(t testing.TB, img v1.Image, o options) *Container {
	t.Helper()
	if img == nil {
		t.Fatal("RunImage: no image")
	}
	config, err := img.ConfigFile()
	if err != nil {
		t.Fatalf("reading the image: %v", err)
	}
	name := sandbox.HostName(config.Config)
	if _, clash := o.peers[name]; clash {
		t.Fatalf("peer %q has the name of the service itself", name)
	}
	box := openHost(t, sandbox.Config{
		Names:        append(slices.Sorted(maps.Keys(o.peers)), name),
		HostNetwork:  o.network,
		Architecture: config.Architecture,
	}, img)
	main := &Container{t: t, name: name, box: box, config: config.Config, options: o, peers: map[string]*Container{}}
	t.Cleanup(main.close)
	if err := main.startPeers(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := main.start(t.Context(), img); err != nil {
		t.Fatal(err)
	}
	return main
}

// startPeers makes the peers' images and starts them, all at once.
func (c *Container) startPeers(ctx context.Context) error {
	var mu sync.Mutex // of c.peers
	var all errgroup.Group
	for name, p := range c.options.peers {
		all.Go(func() error {
			img, err := p.image(ctx, c.options.target())
			if err != nil {
				return fmt.Errorf("peer %q: %w", name, err)
			}
			peer, err := p.container(c, name, img)
			if err != nil {
				return fmt.Errorf("peer %q: reading the image: %w", name, err)
			}
			mu.Lock()
			c.peers[name] = peer
			mu.Unlock()
			return peer.start(ctx, img)
		})
	}
	return all.Wait()
}

// image returns the image that a peer is, or makes it.
func (p Peer) image(ctx context.Context, target ocispecs.Platform) (v1.Image, error) {
	switch {
	case p.Spec != nil:
		return buildImage(ctx, p.Spec, target)
	case p.Image != nil:
		return p.Image, nil
	}
	return packagesImage(ctx, p.Packages)
}

// container returns what a peer is before it is started.
func (p Peer) container(main *Container, name string, img v1.Image) (*Container, error) {
	o := newOptions(p.Options)
	o.timeout, o.network = main.options.timeout, main.options.network
	config, err := img.ConfigFile()
	if err != nil {
		return nil, err
	}
	return &Container{t: main.t, name: name, box: main.box, config: config.Config, options: o}, nil
}

// cacheDir is the engine's, where everything can be made again.
func cacheDir() (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("finding the cache directory: %w", err)
	}
	return filepath.Join(dir, "lucidbase"), nil
}

// start starts the container and waits for what it is to wait for.
func (c *Container) start(ctx context.Context, img v1.Image) error {
	if err := c.checkWaits(); err != nil {
		return fmt.Errorf("%s: %w", c.name, err)
	}
	p, err := c.box.start(ctx, sandbox.Container{
		Name:   c.name,
		Image:  img,
		Args:   c.options.args,
		Env:    c.options.env,
		Mounts: c.options.mounts,
	}, &c.log)
	if err != nil {
		return err
	}
	c.process = p
	for _, w := range c.options.waits {
		if err := c.await(ctx, w); err != nil {
			return err
		}
	}
	return nil
}
