package image

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"

	"github.com/lucid-project/base-images/lucidbase"
)

// Assemble makes the finished image of what BuildKit exported: a manifest for each
// platform, in any order, or indexes of such. Configs stay as they are, byte for byte;
// of the manifests nothing changes but the layers' descriptors. The same export becomes
// the same bytes.
func (s *Store) Assemble(ctx context.Context, c Compression, exported ...digest.Digest) (*Image, error) {
	img, err := s.assemble(ctx, c, exported)
	if err != nil {
		return nil, fmt.Errorf("assembling an image: %w", err)
	}
	return img, nil
}

func (s *Store) assemble(ctx context.Context, c Compression, tops []digest.Digest) (*Image, error) {
	var exported []digest.Digest
	for _, top := range tops {
		manifests, err := s.exportedManifests(top)
		if err != nil {
			return nil, err
		}
		exported = append(exported, manifests...)
	}
	index := ocispecs.Index{
		Versioned: specs.Versioned{SchemaVersion: 2},
		MediaType: ocispecs.MediaTypeImageIndex,
		Manifests: make([]ocispecs.Descriptor, len(exported)),
	}
	eg, ctx := errgroup.WithContext(ctx)
	for i, d := range exported {
		eg.Go(func() (err error) {
			index.Manifests[i], err = s.assembleManifest(ctx, d, c)
			return err
		})
	}
	if err := eg.Wait(); err != nil {
		return nil, err
	}
	if err := sortByPlatform(index.Manifests); err != nil {
		return nil, err
	}
	raw, err := json.Marshal(index)
	if err != nil {
		return nil, err
	}
	desc, err := s.writeBlob(index.MediaType, raw)
	if err != nil {
		return nil, err
	}
	return s.open(desc.Digest)
}

// exportedManifests returns the manifests that an index lists, or the one.
func (s *Store) exportedManifests(top digest.Digest) ([]digest.Digest, error) {
	raw, err := s.readBlob(top)
	if err != nil {
		return nil, err
	}
	var index ocispecs.Index
	if err := json.Unmarshal(raw, &index); err != nil {
		return nil, fmt.Errorf("parsing: %w", err)
	}
	switch index.MediaType {
	case ocispecs.MediaTypeImageManifest:
		return []digest.Digest{top}, nil
	case ocispecs.MediaTypeImageIndex:
		var manifests []digest.Digest
		for _, m := range index.Manifests {
			manifests = append(manifests, m.Digest)
		}
		if len(manifests) == 0 {
			return nil, errors.New("an index of nothing")
		}
		return manifests, nil
	}
	return nil, fmt.Errorf("media type %q is not OCI's", index.MediaType)
}

// assembleManifest writes one platform's manifest, with its layers compressed.
func (s *Store) assembleManifest(ctx context.Context, d digest.Digest, c Compression) (ocispecs.Descriptor, error) {
	manifest, config, err := s.readManifest(d)
	if err != nil {
		return ocispecs.Descriptor{}, err
	}
	if err := uncompressed(manifest, config); err != nil {
		return ocispecs.Descriptor{}, fmt.Errorf("manifest %s: %w", d, err)
	}
	eg, ctx := errgroup.WithContext(ctx)
	for i, diffID := range config.RootFS.DiffIDs {
		eg.Go(func() (err error) {
			manifest.Layers[i], err = s.Compress(ctx, diffID, c)
			return err
		})
	}
	if err := eg.Wait(); err != nil {
		return ocispecs.Descriptor{}, err
	}
	raw, err := json.Marshal(manifest)
	if err != nil {
		return ocispecs.Descriptor{}, err
	}
	desc, err := s.writeBlob(manifest.MediaType, raw)
	// From the config, as a single manifest comes with no descriptor.
	desc.Platform = &ocispecs.Platform{
		OS:           config.OS,
		Architecture: config.Architecture,
		Variant:      config.Variant,
		OSVersion:    config.OSVersion,
	}
	return desc, err
}

func (s *Store) readManifest(d digest.Digest) (manifest ocispecs.Manifest, config ocispecs.Image, err error) {
	raw, err := s.readBlob(d)
	if err != nil {
		return manifest, config, err
	}
	if err := json.Unmarshal(raw, &manifest); err != nil {
		return manifest, config, fmt.Errorf("parsing manifest %s: %w", d, err)
	}
	raw, err = s.readBlob(manifest.Config.Digest)
	if err != nil {
		return manifest, config, err
	}
	if err := json.Unmarshal(raw, &config); err != nil {
		return manifest, config, fmt.Errorf("parsing config %s: %w", manifest.Config.Digest, err)
	}
	return manifest, config, nil
}

// uncompressed reports layers that are not the plain tars that the config names.
func uncompressed(manifest ocispecs.Manifest, config ocispecs.Image) error {
	if config.OS == "" || config.Architecture == "" {
		return errors.New("its config names no platform")
	}
	if len(manifest.Layers) != len(config.RootFS.DiffIDs) {
		return fmt.Errorf("%d layers, but %d in its config", len(manifest.Layers), len(config.RootFS.DiffIDs))
	}
	for i, layer := range manifest.Layers {
		if layer.MediaType != ocispecs.MediaTypeImageLayer || layer.Digest != config.RootFS.DiffIDs[i] {
			return fmt.Errorf("layer %d: %s (%s) is not the uncompressed %s", i, layer.Digest, layer.MediaType, config.RootFS.DiffIDs[i])
		}
	}
	return nil
}

// sortByPlatform sorts the manifests by name of platform, of which each may come once.
func sortByPlatform(manifests []ocispecs.Descriptor) error {
	slices.SortFunc(manifests, func(a, b ocispecs.Descriptor) int {
		return strings.Compare(lucidbase.FormatPlatform(*a.Platform), lucidbase.FormatPlatform(*b.Platform))
	})
	for i := 1; i < len(manifests); i++ {
		p := lucidbase.FormatPlatform(*manifests[i].Platform)
		if p == lucidbase.FormatPlatform(*manifests[i-1].Platform) {
			return fmt.Errorf("platform %s: two manifests", p)
		}
	}
	return nil
}
