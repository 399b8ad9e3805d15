package engine

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/containerd/containerd/v2/core/content"
)

// exportStore is a content store that several builds, also of several processes,
// export to at once. BuildKit names each transfer after its blob, and containerd's
// store goes on with one of that name where it ended; only within a process does
// it know that somebody still writes it. Here each build has names of its own.
type exportStore struct {
	content.Store
	build string
}

func newExportStore(s content.Store) exportStore { return exportStore{s, " " + rand.Text()} }

// Writer begins a transfer.
func (s exportStore) Writer(ctx context.Context, opts ...content.WriterOpt) (content.Writer, error) {
	return s.Store.Writer(ctx, append(opts, func(o *content.WriterOpts) error {
		o.Ref += s.build
		return nil
	})...)
}

// Abort forgets a transfer.
func (s exportStore) Abort(ctx context.Context, ref string) error {
	return s.Store.Abort(ctx, ref+s.build)
}

// Status returns how far a transfer is.
func (s exportStore) Status(ctx context.Context, ref string) (content.Status, error) {
	return s.Store.Status(ctx, ref+s.build)
}

// oldTransfer is the age of a transfer that nobody can still be writing.
const oldTransfer = time.Hour

// removeTransfers removes what exports that were interrupted have left.
func (o options) removeTransfers(now time.Time) error {
	dir := filepath.Join(o.contentDir(), "ingest")
	entries, err := os.ReadDir(dir)
	if err != nil {
		return ignoreMissing(err)
	}
	var errs []error
	for _, e := range entries {
		info, err := os.Stat(filepath.Join(dir, e.Name(), "data"))
		if err == nil && now.Sub(info.ModTime()) < oldTransfer {
			continue
		}
		if err != nil {
			// It begins, has just ended, or is none.
			if info, err = e.Info(); err != nil || now.Sub(info.ModTime()) < oldTransfer {
				continue
			}
		}
		errs = append(errs, os.RemoveAll(filepath.Join(dir, e.Name())))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("removing interrupted exports: %w", err)
	}
	return nil
}
