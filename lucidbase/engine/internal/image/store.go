// Package image turns what BuildKit exports, uncompressed, into finished images:
// layers compressed once and always to the same bytes, an index over the
// platforms, and from there a layout on disk or a push to a registry.
package image

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"

	"github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/lucid-project/base-images/internal/atomicfile"
	"github.com/lucid-project/base-images/internal/checked"
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

// readBlob returns a manifest or a config, which must be what its digest says.
func (s *Store) readBlob(d digest.Digest) ([]byte, error) {
	if err := d.Validate(); err != nil {
		return nil, fmt.Errorf("blob %q: %w", d, err)
	}
	data, err := os.ReadFile(s.path(d))
	if err != nil {
		return nil, s.damaged(d, err)
	}
	if err := checked.Bytes(data, d, checked.Unknown); err != nil {
		return nil, s.damaged(d, err)
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
	f, err := atomicfile.Create(s.dir)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.Write(data); err != nil {
		return err
	}
	return keep(f, path)
}

// keep puts a file in its place, in a directory that may not be there.
func keep(f *atomicfile.File, path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return f.Keep(path)
}
