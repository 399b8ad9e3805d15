package imagesource

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/opencontainers/go-digest"

	"github.com/lucid-project/base-images/internal/checked"
)

// files are those of an OCI layout or a "docker save" archive, by their names
// with slashes.
type files interface {
	// open returns a regular file and its size in bytes; fs.ErrNotExist where there is
	// none.
	open(name string) (io.ReadCloser, int64, error)
}

// dirFiles are a directory's.
type dirFiles string

func (d dirFiles) open(name string) (io.ReadCloser, int64, error) {
	path := filepath.Join(string(d), filepath.FromSlash(clean(name)))
	info, err := os.Stat(path) // before the open: that of a pipe waits
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s: no regular file", path)
	}
	if err != nil {
		return nil, 0, err
	}
	f, err := os.Open(path)
	return f, info.Size(), err
}

func has(f files, name string) bool {
	r, _, err := f.open(name)
	if err != nil {
		return false
	}
	r.Close()
	return true
}

func readFile(f files, name string) ([]byte, error) {
	r, _, err := f.open(name)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return readDocument(r, name)
}

// layoutContent is the content of an OCI layout. Each blob is hashed before it is
// used the first time.
type layoutContent struct {
	files
	mu     sync.Mutex
	hashed map[v1.Hash]bool
}

func (l *layoutContent) manifest(desc v1.Descriptor) ([]byte, error) {
	// Of any size: that an index has a wrong one is what a rule finds.
	r, _, err := l.openBlob(desc.Digest)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return readDocument(r, "blob "+desc.Digest.String())
}

// Blob opens a blob that has its descriptor's size.
func (l *layoutContent) Blob(desc v1.Descriptor) (io.ReadCloser, error) {
	r, size, err := l.openBlob(desc.Digest)
	if err == nil && size != desc.Size {
		r.Close()
		err = fmt.Errorf("blob %s: %d bytes, its descriptor says %d", desc.Digest, size, desc.Size)
	}
	return r, err
}

func (l *layoutContent) openBlob(h v1.Hash) (io.ReadCloser, int64, error) {
	if err := l.check(h); err != nil {
		return nil, 0, err
	}
	return l.open(blobName(h))
}

// blobName is a blob's place in an OCI layout (image-spec, image-layout.md).
func blobName(h v1.Hash) string { return "blobs/" + h.Algorithm + "/" + h.Hex }

// check hashes a blob, unless that was done.
func (l *layoutContent) check(want v1.Hash) error {
	l.mu.Lock()
	known := l.hashed[want]
	l.mu.Unlock()
	if known {
		return nil
	}
	r, _, err := l.open(blobName(want))
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("blob %s: %w", want, fs.ErrNotExist)
	}
	if err != nil {
		return err
	}
	defer r.Close()
	if err := checked.Copy(io.Discard, r, digest.Digest(want.String()), checked.Unknown); err != nil {
		return fmt.Errorf("blob %s: %w", want, err)
	}
	l.mu.Lock()
	l.hashed[want] = true
	l.mu.Unlock()
	return nil
}

// parse reads a JSON file.
func parse(f files, name string, into any) error {
	data, err := readFile(f, name)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("parsing %s: %w", name, err)
	}
	return nil
}
