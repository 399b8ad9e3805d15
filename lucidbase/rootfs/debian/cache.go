package debian

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/lucid-project/base-images/internal/atomicfile"
	"github.com/lucid-project/base-images/lucidbase/lock"
)

// File gives the path of a package file in the cache; it is downloaded if it is
// not there. Its size and hash are checked in any case, before anybody reads it.
// The suites are those of the package's lock: they say when the snapshot archive
// has it. A file that left all archives gives an error that is ErrGone.
func (a *Archives) File(ctx context.Context, p lock.Package, suites []lock.Suite) (string, error) {
	path := filepath.Join(a.Cache, "sha256", p.SHA256)
	if isCached(ctx, path, p) {
		return path, nil
	}
	data, err := a.download(ctx, p, suites)
	if err != nil {
		return "", err
	}
	if err := store(ctx, path, data); err != nil {
		return "", fmt.Errorf("writing %s to cache directory %s: %w", p.Name, a.Cache, err)
	}
	return path, nil
}

// isCached reports whether a whole and right file is there; what is damaged is
// downloaded again and replaced.
func isCached(_ context.Context, path string, p lock.Package) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || info.Size() != p.Size {
		return false
	}
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return false
	}
	return hex.EncodeToString(h.Sum(nil)) == p.SHA256
}

// verifyPackage compares a file with what the lock says of it.
func verifyPackage(data []byte, p lock.Package) error {
	if int64(len(data)) != p.Size {
		return fmt.Errorf("sends %d bytes, not %d", len(data), p.Size)
	}
	if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != p.SHA256 {
		return fmt.Errorf("sends another file: SHA-256 %x, not %s", sum, p.SHA256)
	}
	return nil
}

// store puts a file in place whole, as others may look for it at the same time.
func store(_ context.Context, path string, data []byte) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, "partial-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // in vain once it is renamed
	_, err = io.Copy(f, bytes.NewReader(data))
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return err
	}
	if err := os.Chmod(f.Name(), 0o644); err != nil {
		return err
	}
	return atomicfile.Rename(f.Name(), path)
}
