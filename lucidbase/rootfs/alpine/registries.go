// Package alpine makes OCI layers from the official Python image for Alpine: of
// what is pinned by digest, the interpreter and what that needs. No container
// runs; a layer for any platform is made on any machine, with the same bytes.
package alpine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/lucid-project/base-images/internal/atomicfile"
	"github.com/lucid-project/base-images/internal/checked"
	"github.com/lucid-project/base-images/internal/mirror"
	"github.com/lucid-project/base-images/internal/supply"
	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/lock"
	"github.com/lucid-project/base-images/lucidbase/rootfs/debian"
	"github.com/lucid-project/base-images/lucidbase/rootfs/internal/tree"
)

// ErrNoImage says that a locked image could be had from no registry.
var ErrNoImage = errors.New("no registry sends it")

// Registries are where upstream images come from, as this machine reaches them, and the
// layers that are made from them. Its methods may be called at once from several goroutines;
// its fields do not change after the first call.
type Registries struct {
	// Cache is the directory that keeps what was fetched and made, by digest.
	// Several processes may use the same one at once.
	Cache string
	// Mirrors maps a registry ("docker.io") to those that are asked before it; see
	// ParseMirrors.
	Mirrors map[string][]string
	// Transport reaches registries; nil means go-containerregistry's own, with limits on
	// how long a registry may be silent.
	Transport http.RoundTripper
	// Warn is told of a credential helper that is not installed; nil for nobody.
	Warn func(error)
	// Archives are where Debian's packages for what an image lacks come from.
	Archives *debian.Archives

	once   sync.Once
	memory mirror.Memory
}

// borrowed lists Debian's packages that an image is given, those whose files need no
// C library: an init, and time zones where it has none.
func borrowed(up *upstream, d lock.Debian, p ocispecs.Platform) ([]lock.Package, error) {
	names := []string{"tini"}
	if !up.files.Has(zoneDir) {
		names = append(names, "tzdata")
	}
	var out []lock.Package
	for _, name := range names {
		pkg, ok := d.Platforms[lucidbase.FormatPlatform(p)].Rootfs.Find(name)
		if !ok {
			return nil, fmt.Errorf("it has no %s, and %s locks no package of that name", name, lock.DebianFile)
		}
		out = append(out, pkg)
	}
	return out, nil
}

// Resolve finds out what an image holds on a platform: it is fetched by digest and its
// layers are made, and kept in the cache. The Debian lock fills in what the image
// lacks. The same image and lock lead to the same result everywhere. For an image that
// could not be fetched the error is ErrNoImage.
func (m *Registries) Resolve(ctx context.Context, im lock.Upstream, d lock.Debian, p ocispecs.Platform) (lock.UpstreamPlatform, error) {
	out, err := m.resolve(ctx, im, d, p)
	if err != nil {
		return lock.UpstreamPlatform{}, fmt.Errorf("resolving %s for %s: %w", im.Reference, lucidbase.FormatPlatform(p), err)
	}
	return out, nil
}

func (m *Registries) resolve(ctx context.Context, im lock.Upstream, d lock.Debian, p ocispecs.Platform) (lock.UpstreamPlatform, error) {
	s, err := tree.NewSpool(ctx, m.Cache)
	if err != nil {
		return lock.UpstreamPlatform{}, err
	}
	defer s.Close()
	up, err := m.open(ctx, im, p, s)
	if err != nil {
		return lock.UpstreamPlatform{}, err
	}
	out := lock.UpstreamPlatform{Manifest: up.manifest, Python: up.python}
	if out.Rootfs.Packages, err = borrowed(up, d, p); err != nil {
		return lock.UpstreamPlatform{}, err
	}
	root, kept, err := m.rootfs(ctx, up, out.Rootfs.Packages, d.Suites)
	if err != nil {
		return lock.UpstreamPlatform{}, err
	}
	out.Kept = kept
	headers, err := up.headers()
	if err != nil {
		return lock.UpstreamPlatform{}, err
	}
	out.Headers.Packages = []lock.Package{}
	layers := []madeLayer{{root, &out.Rootfs}, {headers, &out.Headers}}
	switch dev, kept, err := up.dev(); {
	case err == nil:
		out.Dev = lock.UpstreamDev{Added: lock.Layer{Packages: []lock.Package{}}, Kept: kept}
		layers = append(layers, madeLayer{dev, &out.Dev.Added})
	case !errors.Is(err, tree.ErrNowhere): // an image that has none is good for a base
		return lock.UpstreamPlatform{}, err
	}
	for _, made := range layers {
		if err := m.keep(ctx, made.Tree, made.layer); err != nil {
			return lock.UpstreamPlatform{}, err
		}
	}
	return out, nil
}

// madeLayer is a layer's content, and the place of its digest and size.
type madeLayer struct {
	tree.Tree
	layer *lock.Layer
}

// keep puts a layer in the cache and fills in its digest and size.
func (m *Registries) keep(_ context.Context, t tree.Tree, layer *lock.Layer) error {
	f, err := atomicfile.Create(filepath.Join(m.Cache, "sha256"))
	if err != nil {
		return err
	}
	defer f.Close()
	if layer.Digest, layer.Size, err = t.Write(f); err != nil {
		return err
	}
	return f.Keep(m.path(layer.Digest))
}

// path is where the cache has what a digest names.
func (m *Registries) path(digest string) string {
	return filepath.Join(m.Cache, "sha256", strings.TrimPrefix(digest, "sha256:"))
}

// Layer writes the layer of an input that is made from an image to w, as
// Archives.Layer does for packages. What was written to w counts only if there is
// no error.
func (m *Registries) Layer(ctx context.Context, in lucidbase.Input, w io.Writer) (lock.Layer, error) {
	out, err := m.layer(ctx, in, w)
	if err != nil {
		return lock.Layer{}, fmt.Errorf("making %s: %w", in, err)
	}
	if want := in.Layer; want.Digest != "" && (want.Digest != out.Digest || want.Size != out.Size) {
		return lock.Layer{}, fmt.Errorf("making %s: %s makes %s (%d bytes), the lock says %s (%d bytes)",
			in, in.Upstream.Digest, out.Digest, out.Size, want.Digest, want.Size)
	}
	return out, nil
}

func (m *Registries) layer(ctx context.Context, in lucidbase.Input, w io.Writer) (lock.Layer, error) {
	made := blob{digest: in.Layer.Digest, size: in.Layer.Size}
	if path := m.path(made.digest); made.digest != "" && checked.Use(ctx, path, digest.Digest(made.digest), made.known()) == nil {
		return in.Layer, copyFile(ctx, path, w)
	}
	s, err := tree.NewSpool(ctx, m.Cache)
	if err != nil {
		return lock.Layer{}, err
	}
	defer s.Close()
	up, err := m.open(ctx, in.Upstream, in.Platform, s)
	if err != nil {
		return lock.Layer{}, fmt.Errorf("%s@%s: %w", in.Upstream.Reference, in.Upstream.Digest, err)
	}
	var t tree.Tree
	switch in.Kind {
	case supply.ImageRootfs:
		t, _, err = m.rootfs(ctx, up, in.Layer.Packages, in.Suites)
	case supply.ImageHeaders:
		t, err = up.headers()
	case supply.ImageDev:
		t, _, err = up.dev()
	default:
		err = fmt.Errorf("unknown kind of layer %q", in.Kind)
	}
	if err != nil {
		return lock.Layer{}, err
	}
	out := in.Layer
	out.Digest, out.Size, err = t.Write(w)
	return out, err
}

func copyFile(_ context.Context, path string, w io.Writer) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(w, f)
	return err
}
