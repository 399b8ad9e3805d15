package v1image

import (
	"io"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Blobs opens blobs. No byte of a blob is to be read to its end without an error if
// it is not what its descriptor says.
type Blobs interface {
	Blob(v1.Descriptor) (io.ReadCloser, error)
}

// Layer implements v1.Layer.
type Layer struct {
	blobs  Blobs
	desc   v1.Descriptor
	diffID v1.Hash
}

// NewLayer returns the layer with a descriptor and a diff ID.
func NewLayer(blobs Blobs, desc v1.Descriptor, diffID v1.Hash) *Layer {
	return &Layer{blobs, desc, diffID}
}

// Digest implements v1.Layer, as do the other methods.
func (l *Layer) Digest() (v1.Hash, error) { return l.desc.Digest, nil }

func (l *Layer) DiffID() (v1.Hash, error)            { return l.diffID, nil }
func (l *Layer) Size() (int64, error)                { return l.desc.Size, nil }
func (l *Layer) MediaType() (types.MediaType, error) { return l.desc.MediaType, nil }
func (l *Layer) Descriptor() (*v1.Descriptor, error) { return l.desc.DeepCopy(), nil }
func (l *Layer) Compressed() (io.ReadCloser, error)  { return l.blobs.Blob(l.desc) }

// Uncompressed goes by the blob's first bytes, not by its media type.
func (l *Layer) Uncompressed() (io.ReadCloser, error) {
	blob, err := l.Compressed()
	if err != nil {
		return nil, err
	}
	return Decompress(blob)
}
