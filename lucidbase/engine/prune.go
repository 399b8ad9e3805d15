package engine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/moby/buildkit/client"

	"github.com/lucid-project/base-images/internal/atomicfile"
)

// Prune shrinks the cache to at most limit bytes, what was used longest ago
// first, and returns the number of bytes freed; 0 empties it. BuildKit's own
// collector runs some time after a build; a short run has ended before. A remote
// BuildKit's cache is not ours to count or to shrink.
func (e *Engine) Prune(ctx context.Context, limit int64) (freed int64, err error) {
	if err := e.options.removeTransfers(time.Now()); err != nil {
		return 0, err
	}
	files, err := e.cachedFiles(limit == 0)
	if err != nil {
		return 0, err
	}
	var inFiles, inEngine int64
	for _, f := range files {
		inFiles += f.size
	}
	var inDatabases int64
	own := e.ownNode()
	if own != nil {
		inDatabases = e.databaseSize()
		if inEngine, err = e.engineSize(ctx, own, limit-inFiles-inDatabases); err != nil {
			return 0, err
		}
	}
	excess := inFiles + inEngine + inDatabases - limit
	if inEngine > 0 && excess > 0 {
		if freed, err = e.pruneEngine(ctx, own, max(0, inEngine-excess)); err != nil {
			return freed, err
		}
	}
	fromFiles, err := removeFiles(files, excess-min(freed, inEngine), time.Now())
	return freed + fromFiles, err
}

// ownNode returns the embedded BuildKit, or nil: a remote one's cache is not ours.
func (e *Engine) ownNode() *node {
	for _, n := range e.nodes {
		if n.embedded {
			return n
		}
	}
	return nil
}

// engineSize is the number of bytes that BuildKit's cache holds. It is what was counted
// last, where none has run since and that is below enough: none is started to count.
func (e *Engine) engineSize(ctx context.Context, own *node, enough int64) (size int64, err error) {
	if data, err := os.ReadFile(e.options.engineSizeFile()); err == nil {
		if size, err := strconv.ParseInt(strings.TrimSpace(string(data)), 10, 64); err == nil && size < enough {
			return size, nil
		}
	}
	conn, err := own.connected(ctx)
	if err != nil {
		return 0, err
	}
	records, err := conn.client.DiskUsage(ctx)
	if err != nil {
		return 0, fmt.Errorf("asking BuildKit for its disk usage: %w", err)
	}
	for _, r := range records {
		size += r.Size
	}
	if size < enough { // else it is about to be pruned
		_ = os.WriteFile(e.options.engineSizeFile(), []byte(strconv.FormatInt(size, 10)+"\n"), 0o600) // or it is counted again
	}
	return size, nil
}

// engineSizeFile has what the embedded BuildKit's cache held when it was counted last,
// and is not there once one has started since.
func (o options) engineSizeFile() string { return filepath.Join(o.cacheDir, "buildkit-size") }

// forgetEngineSize is called when a BuildKit starts.
func (e *Engine) forgetEngineSize() error {
	if err := ignoreMissing(os.Remove(e.options.engineSizeFile())); err != nil {
		return fmt.Errorf("starting BuildKit: %w", err)
	}
	return nil
}

// databaseSize is that of the embedded BuildKit's databases: a few megabytes that
// stay whatever is pruned, and that its own count leaves out.
func (e *Engine) databaseSize() (size int64) {
	for _, below := range []string{"*.db", "*/*.db", "*/*/*.db"} {
		found, _ := filepath.Glob(filepath.Join(e.options.stateDir(), "*", below)) // the pattern is well-formed
		for _, path := range found {
			if info, err := os.Stat(path); err == nil {
				size += info.Size()
			}
		}
	}
	return size
}

func (e *Engine) pruneEngine(ctx context.Context, own *node, keep int64) (freed int64, err error) {
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
	conn, err := own.connected(ctx)
	if err == nil {
		err = conn.client.Prune(ctx, records, opts...)
	}
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
// used longest ago first. Locks that a build resolved are small and no use in
// part: they count only when everything goes.
func (e *Engine) cachedFiles(everything bool) (files []cachedFile, err error) {
	dirs := []string{e.options.contentDir(), e.options.downloadDir(), e.options.factsDir(), e.options.builtDir()}
	if everything {
		dirs = append(dirs, filepath.Join(e.options.cacheDir, "locks"))
	}
	for _, dir := range dirs {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return ignoreMissing(err)
			}
			info, err := d.Info()
			if err != nil {
				return ignoreMissing(err)
			}
			files = append(files, cachedFile{path, info.Size(), info.ModTime()})
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("measuring the cache: %w", err)
		}
	}
	slices.SortFunc(files, func(a, b cachedFile) int { return a.used.Compare(b.used) })
	return files, nil
}

// removeFiles removes at least excess bytes, the first files first, and what
// killed runs left half-written.
func removeFiles(files []cachedFile, excess int64, now time.Time) (freed int64, err error) {
	for _, f := range files {
		if freed >= excess && !f.leftOver(now) {
			continue
		}
		if err := os.Remove(f.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return freed, fmt.Errorf("pruning the cache: %w", err)
		}
		freed += f.size
	}
	return freed, nil
}

// leftOver reports whether a file is half-written, and nobody can still be writing it.
func (f cachedFile) leftOver(now time.Time) bool {
	return now.Sub(f.used) > time.Hour && strings.HasPrefix(filepath.Base(f.path), atomicfile.Prefix)
}

// ignoreMissing forgets what another process removed meanwhile.
func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
