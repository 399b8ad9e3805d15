package verifytest

import (
	"archive/tar"
	"bytes"
	"io"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/stretchr/testify/require"
)

// LayerOf is a gzip layer of entries in the order given.
func LayerOf(t testing.TB, entries ...Entry) v1.Layer {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, e := range entries {
		h := e.Header
		h.Name = strings.TrimPrefix(h.Name, "/")
		if h.Typeflag == tar.TypeLink {
			h.Linkname = strings.TrimPrefix(h.Linkname, "/")
		}
		require.NoError(t, w.WriteHeader(&h), h.Name)
		_, err := io.WriteString(w, e.Body)
		require.NoError(t, err, h.Name)
	}
	require.NoError(t, w.Close())
	open := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil }
	layer, err := tarball.LayerFromOpener(open, tarball.WithMediaType(types.OCILayer))
	require.NoError(t, err)
	return layer
}

// RawLayer is a layer of any bytes, also of those that are no tar.
type RawLayer struct {
	v1.Layer
	Open func() (io.ReadCloser, error)
	size int64
}

// Uncompressed implements v1.Layer, as do the other methods.
func (l RawLayer) Uncompressed() (io.ReadCloser, error) { return l.Open() }

func (l RawLayer) MediaType() (types.MediaType, error) { return types.OCILayer, nil }

func (l RawLayer) Size() (int64, error) { return l.size, nil }

// BytesLayer is a layer of these bytes.
func BytesLayer(data []byte) v1.Layer { return ReaderLayer(bytes.NewReader(data), int64(len(data))) }

// ReaderLayer is a layer that can be read once and claims a compressed size.
func ReaderLayer(r io.Reader, size int64) v1.Layer {
	return RawLayer{Open: func() (io.ReadCloser, error) { return io.NopCloser(r), nil }, size: size}
}

// TarOf writes a tar, without what layerOf does for real layers.
func TarOf(t testing.TB, entries ...Entry) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, e := range entries {
		require.NoError(t, w.WriteHeader(&e.Header))
		_, err := io.WriteString(w, e.Body)
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return b.Bytes()
}
