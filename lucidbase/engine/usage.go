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
	"github.com/lucid-project/base-images/internal/sandbox"
)

// Usage is what the cache directory holds of one kind.
type Usage struct {
	// Kind is a word, such as "downloads".
	Kind string
	// Size is the number of bytes.
	Size int64
	// Count is the number of files, of BuildKit's records, or of layers.
	Count int
	// Used is when one of them was used last; zero where there is none.
	Used time.Time
}

// The kinds. All but the first two are directories of the cache.
const (
	stepsKind = "steps"   // what BuildKit has made of a build's steps
	layerKind = "sandbox" // layers that were unpacked to be run
)

// Usage returns what the cache holds, one Usage for each kind, also for those of which
// it holds nothing. The embedded BuildKit is started to be asked; a remote one's cache
// is not counted.
func (e *Engine) Usage(ctx context.Context) ([]Usage, error) {
	cached, err := e.cached(true)
	if err != nil {
		return nil, err
	}
	var all []Usage
	if own := e.ownNode(); own != nil {
		steps, err := stepsUsage(ctx, own)
		if err != nil {
			return nil, err
		}
		steps.Size += e.databaseSize()
		all = append(all, steps)
	}
	for _, kind := range append(e.options.kinds(true), layerKind) {
		u := Usage{Kind: kind}
		for _, c := range cached {
			if c.kind == kind {
				u.add(c.size, c.used)
			}
		}
		all = append(all, u)
	}
	return all, nil
}

func (u *Usage) add(size int64, used time.Time) {
	u.Size += size
	u.Count++
	if used.After(u.Used) {
		u.Used = used
	}
}

// stepsUsage asks BuildKit.
func stepsUsage(ctx context.Context, own *node) (Usage, error) {
	u := Usage{Kind: stepsKind}
	conn, err := own.connected(ctx)
	if err != nil {
		return u, err
	}
	records, err := conn.client.DiskUsage(ctx)
	if err != nil {
		return u, fmt.Errorf("asking BuildKit for its disk usage: %w", err)
	}
	for _, r := range records {
		u.add(r.Size, lastUse(r))
	}
	return u, nil
}

func lastUse(r *client.UsageInfo) time.Time {
	if r.LastUsedAt != nil {
		return *r.LastUsedAt
	}
	return r.CreatedAt
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
func (e *Engine) engineSize(ctx context.Context, own *node, enough int64) (int64, error) {
	if data, err := os.ReadFile(e.options.engineSizeFile()); err == nil {
		if size, err := strconv.ParseInt(strings.TrimSpace(string(data)), 10, 64); err == nil && size < enough {
			return size, nil
		}
	}
	u, err := stepsUsage(ctx, own)
	if err != nil {
		return 0, err
	}
	if u.Size < enough { // else it is about to be pruned
		dir, name := filepath.Split(e.options.engineSizeFile())
		_ = atomicfile.Write(dir, map[string][]byte{name: []byte(strconv.FormatInt(u.Size, 10) + "\n")}) // or it is counted again
	}
	return u.Size, nil
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

// cached is a file of the client's side of the cache, or an unpacked layer.
type cached struct {
	kind, path string
	size       int64
	used       time.Time
}

// kinds are the directories of files. Locks that a build resolved are small and no use
// in part: they count only when everything does.
func (o options) kinds(everything bool) []string {
	var kinds []string
	for _, dir := range []string{o.contentDir(), o.downloadDir(), o.factsDir(), o.builtDir(), o.pushedDir()} {
		kinds = append(kinds, filepath.Base(dir))
	}
	if everything {
		kinds = append(kinds, "locks")
	}
	return kinds
}

// cached lists what the client's side of the cache holds, what was used longest ago
// first.
func (e *Engine) cached(everything bool) (all []cached, err error) {
	for _, kind := range e.options.kinds(everything) {
		err := filepath.WalkDir(filepath.Join(e.options.cacheDir, kind), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return ignoreMissing(err)
			}
			info, err := d.Info()
			if err != nil {
				return ignoreMissing(err)
			}
			all = append(all, cached{kind, path, info.Size(), info.ModTime()})
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("measuring the cache: %w", err)
		}
	}
	layers, err := sandbox.Layers(e.options.sandboxDir())
	if err != nil {
		return nil, fmt.Errorf("measuring the cache: %w", err)
	}
	for _, l := range layers {
		all = append(all, cached{layerKind, l.DiffID, l.Size, l.Used})
	}
	slices.SortFunc(all, func(a, b cached) int { return a.used.Compare(b.used) })
	return all, nil
}

// ignoreMissing forgets what another process removed meanwhile.
func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
