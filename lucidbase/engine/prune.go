package engine

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/moby/buildkit/client"

	"github.com/lucid-project/base-images/internal/atomicfile"
	"github.com/lucid-project/base-images/internal/sandbox"
)

// Limit says what stays in a cache that is pruned. Its zero value is nothing.
type Limit struct {
	// Bytes is the most that stays. What was used longest ago goes first.
	Bytes int64
	// Age is how long something stays that nobody uses; zero is no limit.
	Age time.Duration
}

// busyTime is how long something stays that was used, as long as the cache is in use: a
// build that runs may have looked for it at its beginning.
const busyTime = time.Hour

// Prune removes from the cache what is not to be kept, and returns the number of bytes
// freed. Builds that run lose nothing: while there are any, what they or others have
// used within the hour stays. It does what BuildKit's own collector, which runs some
// time after a build, comes too late for in a short run. The cache of a remote BuildKit
// is neither counted nor pruned.
func (e *Engine) Prune(ctx context.Context, limit Limit) (freed int64, err error) {
	now := time.Now()
	if err := e.options.removeTransfers(now); err != nil {
		return 0, err
	}
	all, err := e.cached(limit.Bytes == 0)
	if err != nil {
		return 0, err
	}
	var inFiles int64
	for _, c := range all {
		inFiles += c.size
	}
	steps, excess, err := e.pruneSteps(ctx, limit, inFiles)
	if err != nil {
		return steps, err
	}
	files, err := e.pruneCached(ctx, selection{all, excess, limit.Age, now})
	return steps + files, err
}

// pruneSteps prunes the embedded BuildKit, and returns by how much the cache is still too
// large.
func (e *Engine) pruneSteps(ctx context.Context, limit Limit, inFiles int64) (freed, excess int64, err error) {
	own := e.ownNode()
	if own == nil {
		return 0, inFiles - limit.Bytes, nil
	}
	if limit.Age > 0 && limit.Bytes > 0 {
		if freed, err = pruneBuildKit(ctx, own, client.WithKeepOpt(limit.Age, 0, 0, 0)); err != nil {
			return freed, 0, err
		}
	}
	databases := e.databaseSize()
	inEngine, err := e.engineSize(ctx, own, limit.Bytes-inFiles-databases)
	if err != nil {
		return freed, 0, err
	}
	excess = inFiles + inEngine + databases - limit.Bytes
	if inEngine == 0 || excess <= 0 {
		return freed, excess, nil
	}
	opt := client.WithKeepOpt(0, 0, inEngine-excess, 0)
	if excess >= inEngine {
		opt = client.PruneAll
	}
	more, err := pruneBuildKit(ctx, own, opt)
	return freed + more, excess - min(more, inEngine), err
}

func pruneBuildKit(ctx context.Context, own *node, opt client.PruneOption) (freed int64, err error) {
	records := make(chan client.UsageInfo)
	counted := make(chan int64)
	go func() {
		var n int64
		for r := range records {
			n += r.Size
		}
		counted <- n
	}()
	conn, err := own.connected(ctx)
	if err == nil {
		err = conn.client.Prune(ctx, records, opt)
	}
	close(records)
	if err != nil {
		err = fmt.Errorf("pruning BuildKit's cache: %w", err)
	}
	return <-counted, err
}

// selection is what is to be removed of a list: at least excess bytes, the first first,
// what was not used for an age, and what killed runs left half-written.
type selection struct {
	all    []cached
	excess int64
	age    time.Duration
	now    time.Time
}

// pruneCached removes a selection of the client's side.
func (e *Engine) pruneCached(ctx context.Context, s selection) (freed int64, err error) {
	release, alone := e.alone()
	defer release()
	var layers []string
	kept := false
	for _, c := range s.all {
		unused := s.now.Sub(c.used)
		tooOld := s.age > 0 && unused > s.age
		if freed >= s.excess && !tooOld && !c.leftOver(s.now) {
			continue
		}
		if c.kind == layerKind {
			layers = append(layers, c.path)
		} else if !alone && unused < busyTime {
			kept = true
			continue
		} else if err := ignoreMissing(os.Remove(c.path)); err != nil {
			return freed, fmt.Errorf("pruning the cache: %w", err)
		}
		freed += c.size
	}
	if kept {
		e.note("the cache is in use: what was used in the last hour stays")
	}
	inUse, err := sandbox.Remove(ctx, e.options.sandboxDir(), layers)
	for _, l := range inUse {
		freed -= l.Size
	}
	if err != nil {
		return freed, fmt.Errorf("pruning the cache: %w", err)
	}
	return freed, nil
}

// leftOver reports whether a file is half-written, and nobody can still be writing it.
func (c cached) leftOver(now time.Time) bool {
	return now.Sub(c.used) > time.Hour && strings.HasPrefix(filepath.Base(c.path), atomicfile.Prefix)
}
