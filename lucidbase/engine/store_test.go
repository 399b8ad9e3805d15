package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/lock"
)

// BuildKit gets a layer as its digest says, whatever has happened to the file, and
// a whole one is not made again.
func TestStoreMakesDamagedLayersAgain(t *testing.T) {
	const layer = "the layer's content"
	desc := ocispecs.Descriptor{Digest: digest.FromString(layer), Size: int64(len(layer))}
	in := lucidbase.Input{Layer: lock.Layer{Digest: desc.Digest.String(), Size: desc.Size}}
	for name, c := range map[string]struct {
		damage func(path string) error
		makes  int
	}{
		"whole":   {func(string) error { return nil }, 0},
		"flipped": {func(path string) error { return os.WriteFile(path, []byte("The layer's content"), 0o644) }, 1},
		"cut":     {func(path string) error { return os.Truncate(path, 3) }, 1},
		"emptied": {func(path string) error { return os.Truncate(path, 0) }, 1},
		"deleted": {os.Remove, 1},
		"directory": {func(path string) error {
			return errors.Join(os.Remove(path), os.MkdirAll(filepath.Join(path, "x"), 0o755))
		}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			dir, made := t.TempDir(), 0
			open := func() *store {
				s, err := newStore(dir, func(_ context.Context, _ lucidbase.Input, w io.Writer) (lock.Layer, error) {
					made++
					_, err := io.WriteString(w, layer)
					return in.Layer, err
				})
				require.NoError(t, err)
				require.NoError(t, s.add(t.Context(), in))
				return s
			}
			read := func(s *store) string {
				ra, err := s.ReaderAt(t.Context(), desc)
				require.NoError(t, err)
				data, err := io.ReadAll(content.NewReader(ra))
				require.NoError(t, err)
				require.NoError(t, ra.Close())
				return string(data)
			}
			s := open()
			require.Equal(t, layer, read(s))
			path := s.path(desc.Digest)
			require.NoError(t, c.damage(path))
			require.Equal(t, layer, read(open()))
			require.Equal(t, 1+c.makes, made)

			config, manifest, _ := in.Image()
			for _, blob := range [][]byte{config, manifest} {
				require.NoError(t, os.WriteFile(s.path(digest.FromBytes(blob)), append([]byte("x"), blob[1:]...), 0o644))
			}
			require.NoError(t, s.add(t.Context(), in))
			for _, blob := range [][]byte{config, manifest} {
				got, err := os.ReadFile(s.path(digest.FromBytes(blob)))
				require.NoError(t, err)
				require.Equal(t, blob, got)
			}
		})
	}
}

// BuildKit gets the text of why a layer cannot be made, and the build the error itself.
func TestStoreKeepsTheCause(t *testing.T) {
	cause := fmt.Errorf("downloading: %w", &net.DNSError{Err: "network is unreachable", Name: "a.invalid"})
	desc := ocispecs.Descriptor{Digest: digest.FromString("x"), Size: 1}
	s, err := newStore(t.TempDir(), func(context.Context, lucidbase.Input, io.Writer) (lock.Layer, error) {
		return lock.Layer{}, cause
	})
	require.NoError(t, err)
	require.NoError(t, s.add(t.Context(), lucidbase.Input{Layer: lock.Layer{Digest: desc.Digest.String(), Size: desc.Size}}))
	_, err = s.ReaderAt(t.Context(), desc)
	require.EqualError(t, err, cause.Error())
	require.NoError(t, errors.Unwrap(err))
	require.ErrorIs(t, s.failed(), cause)
}
