package image

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"

	"github.com/opencontainers/go-digest"
	"golang.org/x/sync/errgroup"

	"github.com/lucid-project/base-images/internal/checked"
)

// DamagedError says that a blob of the store was missing or not what its digest
// says. It is gone by now: to export and assemble the image again makes it anew.
type DamagedError struct {
	Digest digest.Digest
	Err    error
}

// Error names the blob.
func (e *DamagedError) Error() string { return fmt.Sprintf("blob %s: %s", e.Digest, e.Err) }

// Unwrap returns the cause.
func (e *DamagedError) Unwrap() error { return e.Err }

// damaged removes a blob, unless the caller's own context is what ended.
func (s *Store) damaged(d digest.Digest, cause error) error {
	if errors.Is(cause, context.Canceled) || errors.Is(cause, context.DeadlineExceeded) {
		return cause
	}
	if err := os.RemoveAll(s.path(d)); err != nil {
		return errors.Join(fmt.Errorf("blob %s: %w", d, cause), err)
	}
	return &DamagedError{d, cause}
}

// Check compares every blob of the image, and every uncompressed layer, with its
// digest. It takes as long as reading all of it: it is for when something went
// wrong. The error is a DamagedError for one of them; all are removed.
func (i *Image) Check(ctx context.Context) error {
	todo := map[digest.Digest]bool{}
	for _, desc := range i.blobs {
		todo[desc.Digest] = true
	}
	for _, l := range i.layers {
		diffID := l.(*layer).diffID()
		if _, err := os.Lstat(i.store.path(diffID)); err == nil {
			todo[diffID] = true
		}
	}
	eg := &errgroup.Group{} // all are looked at, whatever the first shows
	eg.SetLimit(runtime.GOMAXPROCS(0))
	for d := range todo {
		eg.Go(func() error {
			if err := checked.File(ctx, i.store.path(d), d, checked.Unknown); err != nil {
				return i.store.damaged(d, err)
			}
			return nil
		})
	}
	return eg.Wait()
}
