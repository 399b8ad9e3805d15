package cli

import (
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
)

// narrowed is an index without the images for other platforms than those that were
// asked for. What the index names no platform for stays.
type narrowed struct {
	imageIndex
	want []v1.Platform
}

// imageIndex is embedded by a name that its method ImageIndex leaves free.
type imageIndex = v1.ImageIndex

func narrow(idx v1.ImageIndex, want []v1.Platform) v1.ImageIndex {
	other := func(desc v1.Descriptor) bool {
		return desc.Platform != nil && !slices.ContainsFunc(want, func(p v1.Platform) bool {
			return desc.Platform.OS == p.OS && desc.Platform.Architecture == p.Architecture
		})
	}
	return narrowed{mutate.RemoveManifests(idx, other), want}
}

// ImageIndex implements v1.ImageIndex.
func (n narrowed) ImageIndex(h v1.Hash) (v1.ImageIndex, error) {
	inner, err := n.imageIndex.ImageIndex(h)
	if err != nil {
		return nil, err
	}
	return narrow(inner, n.want), nil
}
