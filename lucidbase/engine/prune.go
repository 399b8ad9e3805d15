package engine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/moby/buildkit/client"
)

// Prune shrinks the cache to at most limit bytes, what was used longest ago
// first, and gives the number of bytes freed. BuildKit's own collector runs some
// time after a build; a short run has ended before.
func (e *Engine) Prune(ctx context.Context, limit int64) (freed int64, err error) {
	files, total, err := e.cachedFiles()
	if err != nil {
		return 0, err
	}
	usage, err := e.client.DiskUsage(ctx)
	if err != nil {
		return 0, fmt.Errorf("asking BuildKit for its disk usage: %w", err)
	}
	var inEngine int64
	for _, record := range usage {
		if e.backend != nil { // a remote BuildKit's cache is not ours to count
			inEngine += record.Size
		}
	}
	excess := total + inEngine - limit
	if excess <= 0 {
		return 0, nil
	}
	if e.backend != nil {
		n, err := e.pruneEngine(ctx, max(0, inEngine-excess))
		freed += n
		if err != nil {
			return freed, err
		}
	}
	for _, f := range files {
		if freed >= excess {
			break
		}
		if err := os.Remove(f.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return freed, fmt.Errorf("pruning the cache: %w", err)
		}
		freed += f.size
	}
	return freed, nil
}

func (e *Engine) pruneEngine(ctx context.Context, keep int64) (freed int64, err error) {
	records := make(chan client.UsageInfo)
	counted := make(chan int64)
	go func() {
		var n int64
		for r := range records {
			n += r.Size
		}
		counted <- n
	}()
	opts := []client.PruneOption{client.WithKeepOpt(0, 0, keep, 0)}
	if keep == 0 {
		opts = []client.PruneOption{client.PruneAll}
	}
	err = e.client.Prune(ctx, records, opts...)
	close(records)
	if err != nil {
		err = fmt.Errorf("pruning BuildKit's cache: %w", err)
	}
	return <-counted, err
}

type cachedFile struct {
	path string
	size int64
	used time.Time
}

// cachedFiles lists what the client's side of the cache holds, the file that was
// used longest ago first.
func (e *Engine) cachedFiles() (files []cachedFile, total int64, err error) {
	for _, dir := range []string{e.options.contentDir(), e.options.downloadDir()} {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return ignoreMissing(err)
			}
			info, err := d.Info()
			if err != nil {
				return ignoreMissing(err)
			}
			files = append(files, cachedFile{path, info.Size(), info.ModTime()})
			total += info.Size()
			return nil
		})
		if err != nil {
			return nil, 0, fmt.Errorf("measuring the cache: %w", err)
		}
	}
	slices.SortFunc(files, func(a, b cachedFile) int { return a.used.Compare(b.used) })
	return files, total, nil
}

// ignoreMissing forgives what another process removed meanwhile.
func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
