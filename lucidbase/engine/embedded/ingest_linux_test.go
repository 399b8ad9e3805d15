package embedded

import (
	"bytes"
	"testing"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/plugins/content/local"
	"github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stretchr/testify/require"
)

// A blob of which the store has the first half is written from its beginning; one
// that is whole need not be.
func TestWriteThatBrokeOffStartsAgain(t *testing.T) {
	store, err := local.NewStore(t.TempDir())
	require.NoError(t, err)
	blob := bytes.Repeat([]byte("blob"), 1<<10)
	desc := ocispecs.Descriptor{Digest: digest.FromBytes(blob), Size: int64(len(blob))}
	for _, c := range []struct{ written, offset int }{{len(blob) / 2, 0}, {1, 0}, {len(blob), len(blob)}} {
		opts := []content.WriterOpt{content.WithRef("ref"), content.WithDescriptor(desc)}
		w, err := wholeWrites{store}.Writer(t.Context(), opts...)
		require.NoError(t, err)
		_, err = w.Write(blob[:c.written])
		require.NoError(t, err)
		require.NoError(t, w.Close())

		w, err = wholeWrites{store}.Writer(t.Context(), opts...)
		require.NoError(t, err)
		status, err := w.Status()
		require.NoError(t, err)
		require.EqualValues(t, c.offset, status.Offset)
		_, err = w.Write(blob[status.Offset:])
		require.NoError(t, err)
		require.NoError(t, w.Commit(t.Context(), desc.Size, desc.Digest))
		require.NoError(t, w.Close())
		require.NoError(t, store.Delete(t.Context(), desc.Digest))
	}
}
