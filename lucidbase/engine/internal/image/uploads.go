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
		layers, err := t.Image.index.blobs()
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

// blobs are the layers and configs of every platform.
func (i *index) blobs() ([]v1.Layer, error) {
	var blobs []v1.Layer
	for _, desc := range i.manifest.Manifests {
		img := i.images[desc.Digest]
		config, err := partial.ConfigLayer(img)
		if err != nil {
			return nil, err
		}
		blobs = append(append(blobs, img.layers...), config)
	}
	return blobs, nil
}
