package engine

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

// What is in the cache may be removed at any time but while it is in use: a build, of
// this process or of another one, holds a share of a lock, and who prunes takes all of
// it. Where files cannot be locked, a build that misses something makes it again.

// useLock is not opened yet: each holder has it open for itself.
func (o options) useLock() *flock.Flock { return flock.New(filepath.Join(o.cacheDir, "in-use")) }

// hold keeps the cache in use until release is called. It waits while somebody removes
// files, which takes no time to speak of.
func (e *Engine) hold(ctx context.Context) (release func(), err error) {
	lock := e.options.useLock()
	_, _ = lock.TryRLockContext(ctx, 10*time.Millisecond)
	if err := context.Cause(ctx); err != nil {
		_ = lock.Close()
		return nil, fmt.Errorf("waiting for the cache: %w", err)
	}
	return func() { _ = lock.Close() }, nil
}

// alone takes the cache from everybody, and reports whether nobody uses it.
func (e *Engine) alone() (release func(), ok bool) {
	lock := e.options.useLock()
	ok, _ = lock.TryLock()
	return func() { _ = lock.Close() }, ok
}
