package alpine

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/lucid-project/base-images/lucidbase/lock"
)

// ParseMirrors reads mirrors for Registries.Mirrors, each REGISTRY=HOST/PREFIX
// such as "docker.io=mirror.example.com/hub": an image REGISTRY/PATH is asked for
// as HOST/PREFIX/PATH. The prefix may be empty. An entry may hold several with
// commas between; they are asked in order.
func ParseMirrors(entries ...string) (map[string][]string, error) {
	mirrors := map[string][]string{}
	for _, entry := range entries {
		for _, one := range strings.FieldsFunc(entry, func(r rune) bool { return r == ',' || r == ' ' }) {
			registry, mirror, ok := strings.Cut(one, "=")
			mirror = strings.TrimRight(mirror, "/")
			host, _, _ := strings.Cut(mirror, "/")
			// Docker's rule of what is a host and not the first part of a path.
			isHost := strings.ContainsAny(host, ".:") || host == "localhost"
			if !ok || registry == "" || !isHost || strings.Contains(mirror, "://") {
				return nil, fmt.Errorf("reading image mirrors: %q is not REGISTRY=HOST/PREFIX", one)
			}
			if _, err := name.NewRepository(mirror + "/image"); err != nil {
				return nil, fmt.Errorf("reading image mirrors: %q: %w", one, err)
			}
			mirrors[registry] = append(mirrors[registry], mirror)
		}
	}
	return mirrors, nil
}

// repository returns the places where an image may lie: mirrors, then its own
// registry.
func (m *Registries) repository(im lock.Upstream) (*repository, error) {
	tag, err := name.NewTag(im.Reference)
	if err != nil {
		return nil, fmt.Errorf("%q: %w", im.Reference, err)
	}
	registry, path, _ := strings.Cut(im.Reference, "/")
	path = strings.TrimSuffix(path, ":"+tag.TagStr())
	r := &repository{registries: m}
	for _, mirror := range m.Mirrors[registry] {
		place, err := name.NewRepository(mirror + "/" + path)
		if err != nil {
			return nil, fmt.Errorf("image mirror %q: %w", mirror, err)
		}
		r.places = append(r.places, place)
	}
	r.places = append(r.places, tag.Context())
	return r, nil
}

// Latest returns the digest of the index that the image's tag names today. For a tag
// that could be looked up nowhere the error is ErrNoImage.
func (m *Registries) Latest(ctx context.Context, im lock.Upstream) (string, error) {
	r, err := m.repository(im)
	if err != nil {
		return "", fmt.Errorf("resolving %s: %w", im.Reference, err)
	}
	tag, err := name.NewTag(im.Reference)
	if err != nil {
		return "", fmt.Errorf("resolving %s: %w", im.Reference, err)
	}
	var digest string
	err = r.first(ctx, func(place name.Repository) (err error) {
		digest, err = m.look(ctx, place.Tag(tag.TagStr()))
		return err
	})
	if err != nil {
		return "", fmt.Errorf("resolving %s: %w", im.Reference, err)
	}
	return digest, nil
}

// look returns the digest that a tag names in one place.
func (m *Registries) look(ctx context.Context, tag name.Tag) (string, error) {
	d, err := remote.Head(tag, m.remote(ctx)...)
	switch {
	case err != nil:
		return "", pullError(err)
	case !d.MediaType.IsIndex():
		return "", fmt.Errorf("%s is no index of platforms", d.MediaType)
	}
	return d.Digest.String(), nil
}
