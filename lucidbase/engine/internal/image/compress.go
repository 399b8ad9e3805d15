package image

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
	"github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/lucid-project/base-images/internal/atomicfile"
	"github.com/lucid-project/base-images/internal/checked"
)

// Compress returns the compressed form of the layer whose uncompressed tar is in
// the store. A layer is compressed once: later calls, also those of later
// processes, find it, and calls at the same time wait for the first. So it may be
// called as soon as a layer is there, long before Assemble.
func (s *Store) Compress(ctx context.Context, diffID digest.Digest, c Compression) (ocispecs.Descriptor, error) {
	desc, err := s.compressOnce(ctx, diffID, c)
	if err != nil {
		return desc, fmt.Errorf("compressing layer %s: %w", diffID, err)
	}
	return desc, nil
}

func (s *Store) compressOnce(ctx context.Context, diffID digest.Digest, c Compression) (ocispecs.Descriptor, error) {
	if err := diffID.Validate(); err != nil {
		return ocispecs.Descriptor{}, err
	}
	record := s.record(diffID, c)
	lock := s.lock(record)
	if err := acquire(ctx, lock); err != nil {
		return ocispecs.Descriptor{}, err
	}
	defer func() { <-lock }()
	if desc, ok := s.recorded(record, c); ok {
		checked.Touch(record, s.path(diffID), s.path(desc.Digest))
		return desc, nil
	}
	unlock, err := s.lockOut(ctx, diffID)
	if err != nil {
		return ocispecs.Descriptor{}, err
	}
	defer unlock()
	if desc, ok := s.recorded(record, c); ok {
		return desc, nil // by another process, meanwhile
	}
	if err := acquire(ctx, s.slots); err != nil {
		return ocispecs.Descriptor{}, err
	}
	defer func() { <-s.slots }()
	desc, err := s.compress(ctx, diffID, c)
	if err != nil {
		return ocispecs.Descriptor{}, err
	}
	data, err := json.Marshal(desc)
	if err != nil {
		return ocispecs.Descriptor{}, err
	}
	return desc, s.create(record, data)
}

// record is the file that says what a layer was compressed to.
func (s *Store) record(diffID digest.Digest, c Compression) string {
	return filepath.Join(s.dir, "compressed", c.ID(), diffID.Encoded())
}

// lock is a mutex, but one whose waiting a context can end.
func (s *Store) lock(key string) chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.locks[key] == nil {
		s.locks[key] = make(chan struct{}, 1)
	}
	return s.locks[key]
}

// lockOut keeps other processes from compressing a layer at the same time. Where
// files cannot be locked, nothing keeps them: each then does it for itself.
func (s *Store) lockOut(ctx context.Context, diffID digest.Digest) (unlock func(), err error) {
	// Some layers share a lock, so that there are not more and more of them.
	path := filepath.Join(s.dir, "compressed", "lock-"+diffID.Encoded()[:2])
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	lock := flock.New(path)
	_, _ = lock.TryLockContext(ctx, 20*time.Millisecond)
	if err := ctx.Err(); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return func() { _ = lock.Close() }, nil
}

func acquire(ctx context.Context, lock chan struct{}) error {
	select {
	case lock <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// recorded finds what a layer was compressed to. A record that is broken, or
// whose blob is gone, counts for nothing.
func (s *Store) recorded(record string, c Compression) (ocispecs.Descriptor, bool) {
	var desc ocispecs.Descriptor
	data, err := os.ReadFile(record)
	if err != nil || json.Unmarshal(data, &desc) != nil || desc.Digest.Validate() != nil {
		return ocispecs.Descriptor{}, false
	}
	// Of a record, no more is believed than what the blob shows.
	desc = ocispecs.Descriptor{MediaType: c.mediaType(), Digest: desc.Digest, Size: desc.Size}
	return desc, s.check(desc) == nil
}

func (s *Store) compress(ctx context.Context, diffID digest.Digest, c Compression) (ocispecs.Descriptor, error) {
	src, err := os.Open(s.path(diffID))
	if err != nil {
		return ocispecs.Descriptor{}, s.damaged(diffID, err)
	}
	defer src.Close()
	in, out := sha256.New(), sha256.New()
	var size int64
	f, err := atomicfile.Create(s.dir)
	if err != nil {
		return ocispecs.Descriptor{}, err
	}
	defer f.Close()
	if err := compressTo(io.MultiWriter(f, out, (*counter)(&size)), io.TeeReader(checked.Reader(ctx, src), in), c); err != nil {
		return ocispecs.Descriptor{}, err
	}
	if got := digest.NewDigest(digest.SHA256, in); got != diffID {
		return ocispecs.Descriptor{}, s.damaged(diffID, &checked.Error{Digest: got, Want: diffID})
	}
	desc := ocispecs.Descriptor{MediaType: c.mediaType(), Digest: digest.NewDigest(digest.SHA256, out), Size: size}
	return desc, keep(f, s.path(desc.Digest))
}

func compressTo(w io.Writer, r io.Reader, c Compression) error {
	// The gzip writer writes some 240 bytes at a time.
	buf := bufio.NewWriterSize(w, 256<<10)
	z, err := c.writer(buf)
	if err != nil {
		return err
	}
	if _, err := io.CopyBuffer(z, r, make([]byte, 256<<10)); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	return buf.Flush()
}

// counter counts what is written to it.
type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}
