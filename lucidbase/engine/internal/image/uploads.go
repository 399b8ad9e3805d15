package image

import (
	"slices"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/partial"
)

// blobUpload is a blob and where in one registry it has to be.
type blobUpload struct {
	digest v1.Hash
	layer  v1.Layer
	repos  []name.Repository
}

// uploads lists each blob once for each registry.
func uploads(targets []Target) ([]*blobUpload, error) {
	type key struct {
		registry string
		digest   v1.Hash
	}
	var todo []*blobUpload
	byKey := map[key]*blobUpload{}
	for _, t := range targets {
		repo := t.Tag.Context()
		layers, err := blobsOf(t.Index)
		if err != nil {
			return nil, err
		}
		for _, l := range layers {
			digest, err := l.Digest()
			if err != nil {
				return nil, err
			}
			k := key{repo.RegistryStr(), digest}
			if byKey[k] == nil {
				byKey[k] = &blobUpload{digest: digest, layer: l}
				todo = append(todo, byKey[k])
			}
			if !slices.Contains(byKey[k].repos, repo) {
				byKey[k].repos = append(byKey[k].repos, repo)
			}
		}
	}
	return todo, nil
}

// imagesOf returns the images that an index lists.
func imagesOf(idx v1.ImageIndex) ([]v1.Image, error) {
	m, err := idx.IndexManifest()
	if err != nil {
		return nil, err
	}
	images := make([]v1.Image, len(m.Manifests))
	for i, desc := range m.Manifests {
		if images[i], err = idx.Image(desc.Digest); err != nil {
			return nil, err
		}
	}
	return images, nil
}

// blobsOf returns the layers and the config of every platform.
func blobsOf(idx v1.ImageIndex) ([]v1.Layer, error) {
	images, err := imagesOf(idx)
	if err != nil {
		return nil, err
	}
	var blobs []v1.Layer
	for _, img := range images {
		layers, err := img.Layers()
		if err != nil {
			return nil, err
		}
		config, err := partial.ConfigLayer(img)
		if err != nil {
			return nil, err
		}
		blobs = append(append(blobs, layers...), config)
	}
	return blobs, nil
}
