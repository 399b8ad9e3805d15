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

// Unpacked is implemented by Blobs that also have uncompressed layers.
type Unpacked interface {
	// Unpacked opens the layer with a diff ID; an error means that it is not there.
	Unpacked(diffID v1.Hash) (io.ReadCloser, error)
}

// Layer implements v1.Layer.
type Layer struct {
	blobs  Blobs
	desc   v1.Descriptor
	diffID v1.Hash
}

// Digest implements v1.Layer, as do the other methods.
func (l *Layer) Digest() (v1.Hash, error) { return l.desc.Digest, nil }

func (l *Layer) DiffID() (v1.Hash, error)            { return l.diffID, nil }
func (l *Layer) Size() (int64, error)                { return l.desc.Size, nil }
func (l *Layer) MediaType() (types.MediaType, error) { return l.desc.MediaType, nil }
func (l *Layer) Descriptor() (*v1.Descriptor, error) { return l.desc.DeepCopy(), nil }
func (l *Layer) Compressed() (io.ReadCloser, error)  { return l.blobs.Blob(l.desc) }

// Uncompressed decompresses a layer only where there is no uncompressed one.
func (l *Layer) Uncompressed() (io.ReadCloser, error) {
	if u, ok := l.blobs.(Unpacked); ok {
		if r, err := u.Unpacked(l.diffID); err == nil {
			return r, nil
		}
	}
	blob, err := l.Compressed()
	if err != nil {
		return nil, err
	}
	return Decompress(blob)
}
