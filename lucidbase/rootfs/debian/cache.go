package debian

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/opencontainers/go-digest"

	"github.com/lucid-project/base-images/internal/atomicfile"
	"github.com/lucid-project/base-images/internal/checked"
	"github.com/lucid-project/base-images/lucidbase/lock"
)

// File returns the path of a package file in the cache; it is downloaded if it is
// not there. Its size and hash are checked in any case, before anybody reads it.
// The suites are those of the package's lock: they say when the snapshot archive
// has it. The error of a file that left all archives is ErrGone.
func (a *Archives) File(ctx context.Context, p lock.Package, suites []lock.Suite) (string, error) {
	path := filepath.Join(a.Cache, "sha256", p.SHA256)
	if checked.Use(ctx, path, digestOf(p), p.Size) == nil {
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

// digestOf is a package file's digest.
func digestOf(p lock.Package) digest.Digest {
	return digest.NewDigestFromEncoded(digest.SHA256, p.SHA256)
}

// store writes a package file to the cache.
func store(_ context.Context, path string, data []byte) error {
	f, err := atomicfile.Create(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.Write(data); err != nil {
		return err
	}
	return f.Keep(path)
}
