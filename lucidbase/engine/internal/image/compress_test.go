package image

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
)

func TestCompress(t *testing.T) {
	e := newExport(t)
	tar := e.layer("a")
	s := NewStore(e.dir)
	for _, tt := range []struct {
		c         Compression
		mediaType string
	}{
		{Gzip, "application/vnd.oci.image.layer.v1.tar+gzip"},
		{Zstd, "application/vnd.oci.image.layer.v1.tar+zstd"},
	} {
		desc, err := s.Compress(t.Context(), tar.Digest, tt.c)
		require.NoError(t, err)
		require.Equal(t, tt.mediaType, desc.MediaType)
		blob, err := s.readBlob(desc.Digest)
		require.NoError(t, err, "the blob is what its digest says")
		require.EqualValues(t, len(blob), desc.Size)
		require.Less(t, desc.Size, tar.Size/10)
		if tt.c == Gzip {
			z, err := gzip.NewReader(bytes.NewReader(blob))
			require.NoError(t, err)
			got, err := digest.FromReader(z)
			require.NoError(t, err)
			require.Equal(t, tar.Digest, got)
		}
	}
}

// What another process compresses is waited for; what it has left is taken.
func TestCompressOnceAmongProcesses(t *testing.T) {
	e := newExport(t)
	tar := e.layer("a")
	other := NewStore(e.dir)
	unlock, err := other.lockOut(t.Context(), tar.Digest)
	require.NoError(t, err)
	done := make(chan ocispecs.Descriptor, 1)
	go func() {
		desc, err := NewStore(e.dir).Compress(context.WithoutCancel(t.Context()), tar.Digest, Gzip)
		if err == nil {
			done <- desc
		}
		close(done)
	}()
	select {
	case <-done:
		require.Fail(t, "it did not wait")
	case <-time.After(50 * time.Millisecond):
	}
	want, err := other.compress(t.Context(), tar.Digest, Gzip)
	require.NoError(t, err)
	record, err := json.Marshal(want)
	require.NoError(t, err)
	require.NoError(t, other.create(other.record(tar.Digest, Gzip), record))
	require.NoError(t, os.Remove(other.path(tar.Digest)), "it is not even read")
	unlock()
	require.Equal(t, want, <-done)

	unlock, err = other.lockOut(t.Context(), tar.Digest)
	require.NoError(t, err)
	defer unlock()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	_, err = NewStore(e.dir).Compress(ctx, tar.Digest, Zstd)
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

// A layer that is compressed already is not even read.
func TestCompressOnce(t *testing.T) {
	e := newExport(t)
	tar := e.layer("a")
	want, err := NewStore(e.dir).Compress(t.Context(), tar.Digest, Gzip)
	require.NoError(t, err)
	require.NoError(t, os.Remove(NewStore(e.dir).path(tar.Digest)))

	later := NewStore(e.dir)
	got, err := later.Compress(t.Context(), tar.Digest, Gzip)
	require.NoError(t, err)
	require.Equal(t, want, got)
	_, err = later.Compress(t.Context(), tar.Digest, Zstd)
	require.ErrorIs(t, err, os.ErrNotExist, "another compression is another matter")
}

func TestCompressAtOnce(t *testing.T) {
	e := newExport(t)
	tar := e.layer("a")
	s := NewStore(e.dir)
	lock := s.lock(filepath.Join(e.dir, "compressed", Gzip.ID(), tar.Digest.Encoded()))
	lock <- struct{}{} // somebody compresses it now, and nobody else gets on without
	require.NoError(t, os.Remove(s.path(tar.Digest)))

	var eg errgroup.Group
	descs := make([]ocispecs.Descriptor, 8)
	for i := range descs {
		eg.Go(func() (err error) {
			descs[i], err = s.Compress(context.Background(), tar.Digest, Gzip)
			return err
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.Compress(ctx, tar.Digest, Gzip)
	require.ErrorIs(t, err, context.Canceled, "waiting ends with the context")
	require.Empty(t, s.slots, "who waits for a layer keeps nobody from another")

	e.layer("a")
	<-lock
	require.NoError(t, eg.Wait())
	for _, desc := range descs {
		require.Equal(t, descs[0], desc)
	}
	require.Len(t, snapshot(t, e.dir), 4, "tar, gzip, the record and a lock")
}

// A cache loses files, and a killed process leaves broken ones.
func TestCompressAgain(t *testing.T) {
	for name, spoil := range map[string]func(t *testing.T, s *Store, record string, blob ocispecs.Descriptor){
		"blob gone": func(t *testing.T, s *Store, _ string, blob ocispecs.Descriptor) {
			require.NoError(t, os.Remove(s.path(blob.Digest)))
		},
		"blob short": func(t *testing.T, s *Store, _ string, blob ocispecs.Descriptor) {
			require.NoError(t, os.Truncate(s.path(blob.Digest), 10))
		},
		"record gone": func(t *testing.T, _ *Store, record string, _ ocispecs.Descriptor) {
			require.NoError(t, os.Remove(record))
		},
		"record empty": func(t *testing.T, _ *Store, record string, _ ocispecs.Descriptor) {
			require.NoError(t, os.Truncate(record, 0))
		},
		"record nonsense": func(t *testing.T, _ *Store, record string, _ ocispecs.Descriptor) {
			require.NoError(t, os.WriteFile(record, []byte(`{"digest":"../../x"}`), 0o644))
		},
	} {
		t.Run(name, func(t *testing.T) {
			e := newExport(t)
			tar := e.layer("a")
			s := NewStore(e.dir)
			want, err := s.Compress(t.Context(), tar.Digest, Gzip)
			require.NoError(t, err)
			spoil(t, s, filepath.Join(e.dir, "compressed", Gzip.ID(), tar.Digest.Encoded()), want)
			got, err := s.Compress(t.Context(), tar.Digest, Gzip)
			require.NoError(t, err)
			require.Equal(t, want, got)
			_, err = s.readBlob(got.Digest)
			require.NoError(t, err)
		})
	}
}

func TestCompressWrongContent(t *testing.T) {
	e := newExport(t)
	tar := e.layer("a")
	s := NewStore(e.dir)
	require.NoError(t, os.WriteFile(s.path(tar.Digest), []byte("something else"), 0o644))
	_, err := s.Compress(t.Context(), tar.Digest, Gzip)
	require.EqualError(t, err, "compressing layer "+tar.Digest.String()+": blob "+tar.Digest.String()+": its content is "+digest.FromString("something else").String()+", not "+tar.Digest.String())
	require.Len(t, snapshot(t, e.dir), 1, "neither a result nor the wrong layer stays, but a lock")
}

func TestCompressCancelled(t *testing.T) {
	e := newExport(t)
	tar := e.layer("a")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s := NewStore(e.dir)
	_, err := s.Compress(ctx, tar.Digest, Gzip)
	require.ErrorIs(t, err, context.Canceled)
	require.Len(t, snapshot(t, e.dir), 1, "only the tar")
	_, err = s.Compress(t.Context(), tar.Digest, Gzip)
	require.NoError(t, err, "a cancelled try is no obstacle")
}

// What a build uses must not look old to whoever shrinks the cache.
func TestCompressTouches(t *testing.T) {
	e := newExport(t)
	tar := e.layer("a")
	s := NewStore(e.dir)
	desc, err := s.Compress(t.Context(), tar.Digest, Gzip)
	require.NoError(t, err)
	old := time.Unix(1e9, 0)
	require.NoError(t, os.Chtimes(s.path(desc.Digest), old, old))
	_, err = s.Compress(t.Context(), tar.Digest, Gzip)
	require.NoError(t, err)
	info, err := os.Stat(s.path(desc.Digest))
	require.NoError(t, err)
	require.True(t, info.ModTime().After(old))
}
