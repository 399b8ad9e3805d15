// Package image turns what BuildKit exports, uncompressed, into finished images:
// layers compressed once and always to the same bytes, an index over the
// platforms, and from there a layout on disk or a push to a registry.
package image

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"sync"

	"github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/lucid-project/base-images/internal/atomicfile"
)

// Store is a directory of blobs, laid out as containerd's local content store is:
// DIR/blobs/sha256/HEX. Beside them it remembers what each layer was compressed
// to. Its methods may be called at once from several goroutines, and several
// processes may share the directory.
type Store struct {
	dir   string
	slots chan struct{} // held while a layer is compressed

	mu    sync.Mutex
	locks map[string]chan struct{} // one a layer and compression
}

// NewStore opens the store in dir.
func NewStore(dir string) *Store {
	return &Store{
		dir:   dir,
		slots: make(chan struct{}, runtime.GOMAXPROCS(0)),
		locks: map[string]chan struct{}{},
	}
}

func (s *Store) path(d digest.Digest) string {
	return filepath.Join(s.dir, "blobs", d.Algorithm().String(), d.Encoded())
}

// readBlob gives a manifest or a config, which must be what its digest says.
func (s *Store) readBlob(d digest.Digest) ([]byte, error) {
	if err := d.Validate(); err != nil {
		return nil, fmt.Errorf("blob %q: %w", d, err)
	}
	data, err := os.ReadFile(s.path(d))
	if err != nil {
		return nil, s.damaged(d, err)
	}
	if got := d.Algorithm().FromBytes(data); got != d {
		return nil, s.damaged(d, fmt.Errorf("its content is %s", got))
	}
	return data, nil
}

// writeBlob stores a manifest or an index, unless it is there.
func (s *Store) writeBlob(mediaType string, data []byte) (ocispecs.Descriptor, error) {
	desc := ocispecs.Descriptor{MediaType: mediaType, Digest: digest.FromBytes(data), Size: int64(len(data))}
	if old, err := os.ReadFile(s.path(desc.Digest)); err == nil && bytes.Equal(old, data) {
		return desc, nil
	}
	return desc, s.create(s.path(desc.Digest), data)
}

// check reports a blob that is missing or has another size.
func (s *Store) check(desc ocispecs.Descriptor) error {
	info, err := os.Stat(s.path(desc.Digest))
	if err != nil {
		return s.damaged(desc.Digest, err)
	}
	if !info.Mode().IsRegular() || info.Size() != desc.Size {
		return s.damaged(desc.Digest, fmt.Errorf("%d bytes, not %d", info.Size(), desc.Size))
	}
	return nil
}

// create makes a small file appear whole or not at all.
func (s *Store) create(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	temp, err := writeTemp(s.dir, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
	if err != nil {
		return err
	}
	return atomicfile.Rename(temp, path)
}

const tempPrefix = ".tmp-"

// writeTemp writes a file that a rename has to put in place. Nothing is left of
// it when fill fails.
func writeTemp(dir string, fill func(io.Writer) error) (path string, err error) {
	path = filepath.Join(dir, tempPrefix+rand.Text())
	// Not os.CreateTemp, whose mode ignores the umask: images are for others to read.
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return "", err
	}
	if err := errors.Join(fill(f), f.Close()); err != nil {
		return "", errors.Join(err, os.Remove(path))
	}
	return path, nil
}

// ctxReader stops reading when its context ends.
type ctxReader struct {
	ctx context.Context
	r   io.Reader
}

func (r ctxReader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(p)
}
