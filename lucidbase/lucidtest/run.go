package lucidtest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"

	"github.com/lucid-project/base-images/internal/sandbox"
	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/variants"
)

// Run builds a Spec's image and starts it. It returns when all that the options wait
// for is there; what goes wrong ends the test, with the last lines of the log.
//
// The container's host name is the image's title (the label
// org.opencontainers.image.title): for a service, its name.
func Run(t testing.TB, spec lucidbase.Spec, opts ...Option) *Container {
	t.Helper()
	o := newOptions(opts)
	o.writable = writable(spec)
	return run(t, build(t, spec, o.target()), o)
}

// writable are the directories that a service has volumes for in production, whether
// its image declares them or not.
func writable(spec lucidbase.Spec) []string {
	if s, ok := spec.(variants.Service); ok {
		return s.Writable
	}
	return nil
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
	config, err := img.ConfigFile()
	if err != nil {
		t.Fatalf("reading the image: %v", err)
	}
	name := sandbox.HostName(config.Config)
	if _, clash := o.peers[name]; clash {
		t.Fatalf("peer %q has the name of the service itself", name)
	}
	box := openSandbox(t, sandbox.Config{
		Names:        append(slices.Sorted(maps.Keys(o.peers)), name),
		HostNetwork:  o.network,
		Architecture: config.Architecture,
	})
	main := &Container{t: t, name: name, box: box, config: config.Config, options: o, peers: map[string]*Container{}}
	t.Cleanup(main.close)
	images := map[string]v1.Image{}
	for peer, p := range o.peers {
		main.peers[peer], images[peer] = p.container(main, peer)
	}
	var all errgroup.Group
	for peer, c := range main.peers {
		all.Go(func() error { return c.start(t.Context(), images[peer]) })
	}
	if err := all.Wait(); err != nil {
		t.Fatal(err)
	}
	if err := main.start(t.Context(), img); err != nil {
		t.Fatal(err)
	}
	return main
}

// container returns what a peer is before it is started.
func (p Peer) container(main *Container, name string) (*Container, v1.Image) {
	main.t.Helper()
	o := newOptions(p.Options)
	o.timeout, o.network = main.options.timeout, main.options.network
	img := p.Image
	if p.Spec != nil {
		img = build(main.t, p.Spec, main.options.target())
		o.writable = writable(p.Spec)
	}
	config, err := img.ConfigFile()
	if err != nil {
		main.t.Fatalf("reading the image of peer %q: %v", name, err)
	}
	return &Container{t: main.t, name: name, box: main.box, config: config.Config, options: o}, img
}

// openSandbox skips the test where images cannot run.
func openSandbox(t testing.TB, c sandbox.Config) *sandbox.Sandbox {
	t.Helper()
	dir, err := cacheDir()
	if err != nil {
		t.Fatal(err)
	}
	c.CacheDir = filepath.Join(dir, "sandbox")
	box, err := sandbox.Open(t.Context(), c)
	if errors.Is(err, sandbox.ErrCannotRun) && os.Getenv("LUCID_REQUIRE_ENGINE") != "1" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return box
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
	out, err := c.log.pipe()
	if err != nil {
		return err
	}
	defer out.Close()
	c.process, err = c.box.Start(ctx, sandbox.Container{
		Name:    c.name,
		Image:   img,
		Args:    c.options.args,
		Env:     c.options.env,
		Mounts:  c.options.mounts,
		Volumes: c.options.writable,
		Stdout:  out,
		Stderr:  out,
	})
	if err != nil {
		return err
	}
	out.Close() // the log ends with the container's own
	for _, w := range c.options.waits {
		if err := c.await(ctx, w); err != nil {
			return err
		}
	}
	return nil
}
