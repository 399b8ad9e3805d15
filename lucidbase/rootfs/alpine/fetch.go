package alpine

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"

	"github.com/lucid-project/base-images/internal/atomicfile"
	"github.com/lucid-project/base-images/internal/checked"
	"github.com/lucid-project/base-images/internal/keychain"
	"github.com/lucid-project/base-images/internal/mirror"
	"github.com/lucid-project/base-images/internal/patient"
)

// parallel is how many layers are fetched at once.
const parallel = 8

// blob is what a registry has by digest. A size of 0 is not known. Registries
// keep manifests apart from the rest.
type blob struct {
	digest   string
	size     int64
	manifest bool
}

// known is the blob's size for package checked.
func (b blob) known() int64 {
	if b.size == 0 {
		return checked.Unknown
	}
	return b.size
}

// repository is where an image lies: the same content in several registries.
type repository struct {
	registries *Registries
	places     []name.Repository
}

// manifest is a platform's, with its digest.
type manifest struct {
	*v1.Manifest
	digest string
}

// manifest finds a platform's manifest in the index that a digest names.
func (r *repository) manifest(ctx context.Context, digest string, p ocispecs.Platform) (manifest, error) {
	data, err := r.read(ctx, blob{digest: digest, manifest: true}, maxManifest)
	if err != nil {
		return manifest{}, err
	}
	var index v1.IndexManifest
	if err := json.Unmarshal(data, &index); err != nil {
		return manifest{}, fmt.Errorf("index: %w", err)
	}
	i := slices.IndexFunc(index.Manifests, func(d v1.Descriptor) bool {
		return d.Platform != nil && d.MediaType.IsImage() && d.Platform.OS == p.OS && d.Platform.Architecture == p.Architecture
	})
	if i < 0 {
		return manifest{}, fmt.Errorf("index: no image for %s/%s in it", p.OS, p.Architecture)
	}
	found := index.Manifests[i]
	data, err = r.read(ctx, blob{found.Digest.String(), found.Size, true}, maxManifest)
	if err != nil {
		return manifest{}, fmt.Errorf("manifest: %w", err)
	}
	m, err := v1.ParseManifest(bytes.NewReader(data))
	if err != nil {
		return manifest{}, fmt.Errorf("manifest: %w", err)
	}
	return manifest{m, found.Digest.String()}, nil
}

// read returns a manifest or config.
func (r *repository) read(ctx context.Context, b blob, limit int64) ([]byte, error) {
	path, err := r.fetch(ctx, b, limit)
	if err != nil {
		return nil, err
	}
	return os.ReadFile(path)
}

// layers fetches layers, all at once, and returns their paths in the cache.
func (r *repository) layers(ctx context.Context, layers []v1.Descriptor) ([]string, error) {
	left := int64(maxLayers)
	for _, l := range layers {
		if left -= l.Size; l.Size <= 0 || left < 0 {
			return nil, fmt.Errorf("layer %s: with %d bytes the layers are more than %d", l.Digest, l.Size, maxLayers)
		}
	}
	paths := make([]string, len(layers))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallel)
	for i, l := range layers {
		group.Go(func() (err error) {
			paths[i], err = r.fetch(ctx, blob{digest: l.Digest.String(), size: l.Size}, l.Size)
			return err
		})
	}
	return paths, group.Wait()
}

// fetch returns the path of a blob in the cache, where its digest was checked. It is
// taken from the first place whose answer is right.
func (r *repository) fetch(ctx context.Context, b blob, limit int64) (string, error) {
	if b.size > limit {
		return "", fmt.Errorf("%s: %d bytes are more than %d", b.digest, b.size, limit)
	}
	path := r.registries.path(b.digest)
	if checked.Use(ctx, path, digest.Digest(b.digest), b.known()) == nil {
		return path, nil
	}
	err := r.first(ctx, func(place name.Repository) error { return r.registries.pull(ctx, place, b, limit, path) })
	if err != nil {
		return "", fmt.Errorf("fetching %s: %w", b.digest, err)
	}
	return path, nil
}

// first calls get with one place after the other until it succeeds. If none of them has
// the image the error is ErrNoImage.
func (r *repository) first(ctx context.Context, get func(name.Repository) error) error {
	places := make([]string, len(r.places))
	byName := map[string]name.Repository{}
	for i, place := range r.places {
		places[i] = place.String()
		byName[places[i]] = place
	}
	err := r.registries.memory.First(ctx, places, func(place string) error { return get(byName[place]) })
	if errors.As(err, new(mirror.Failures)) {
		return fmt.Errorf("%w: %w", ErrNoImage, err)
	}
	return err
}

// pull brings a blob from a place to the cache. Size and digest are checked here,
// whatever the registry's client does.
func (m *Registries) pull(ctx context.Context, place name.Repository, b blob, limit int64, path string) error {
	content, err := m.content(ctx, place, b)
	if err != nil {
		return pullError(err)
	}
	defer content.Close()
	f, err := atomicfile.Create(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer f.Close()
	err = checked.Copy(f, io.LimitReader(content, limit+1), digest.Digest(b.digest), b.known())
	var other *checked.Error
	switch {
	case errors.As(err, &other):
		return fmt.Errorf("sends another file: %w", err)
	case err != nil:
		return mirror.Mark(pullError(err), mirror.ErrCut)
	}
	return f.Keep(path)
}

// content asks a registry, with the user's own Docker credentials.
func (m *Registries) content(ctx context.Context, place name.Repository, b blob) (io.ReadCloser, error) {
	ref := place.Digest(b.digest)
	if b.manifest {
		d, err := remote.Get(ref, m.remote(ctx)...)
		if err != nil {
			return nil, err
		}
		return io.NopCloser(bytes.NewReader(d.Manifest)), nil
	}
	l, err := remote.Layer(ref, m.remote(ctx)...)
	if err != nil {
		return nil, err
	}
	return l.Compressed()
}

func (m *Registries) remote(ctx context.Context) []remote.Option {
	m.once.Do(func() {
		if m.Transport == nil {
			m.Transport = patient.New(remote.DefaultTransport.(*http.Transport), 0)
		}
	})
	return []remote.Option{remote.WithContext(ctx), remote.WithAuthFromKeychain(keychain.Pull(m.Warn)), remote.WithTransport(m.Transport)}
}
