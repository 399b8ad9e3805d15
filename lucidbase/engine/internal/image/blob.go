package image

import (
	"bytes"
	"context"
	"errors"
	"io"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/lucid-project/base-images/internal/checked"
)

// Blob is a layer, config, manifest or index of an image.
type Blob struct {
	ocispecs.Descriptor
	open func() (io.ReadCloser, error)
	// lost is called when what was read is not what the digest says.
	lost func(error) error
}

// Copy writes the blob to w, and finds out whether it is what its digest says.
func (b Blob) Copy(ctx context.Context, w io.Writer) error {
	src, err := b.open()
	if err != nil {
		return b.lost(err)
	}
	defer src.Close()
	err = checked.Copy(w, checked.Reader(ctx, src), b.Digest, b.Size)
	if errors.As(err, new(*checked.Error)) {
		return b.lost(err)
	}
	return err
}

// bytesBlob is a blob that is in memory.
func bytesBlob(mediaType string, raw []byte) Blob {
	return Blob{
		ocispecs.Descriptor{MediaType: mediaType, Digest: digest.FromBytes(raw), Size: int64(len(raw))},
		func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(raw)), nil },
		func(err error) error { return err },
	}
}

// layerBlob is a layer as it is compressed.
func layerBlob(l v1.Layer) (Blob, error) {
	desc, err := partial.Descriptor(l)
	if err != nil {
		return Blob{}, err
	}
	return Blob{descriptor(*desc), l.Compressed, lostOf(l)}, nil
}

// lostOf returns what to call with an error of reading a layer.
func lostOf(l v1.Layer) func(error) error {
	if ours, ok := l.(*layer); ok {
		return ours.lost
	}
	return func(err error) error { return err }
}
