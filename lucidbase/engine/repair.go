package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/lucid-project/base-images/lucidbase/engine/internal/image"
)

// A cache holds nothing that cannot be made again. What is damaged in it is
// removed where it is noticed, and the build starts again: that takes no longer
// than making what was lost.

// maxRepairs is how often a build starts again. Each time something damaged is
// gone.
const maxRepairs = 20

// stateError is that the state of a node's BuildKit is damaged.
type stateError struct {
	solveError
	explained error
}

func (e stateError) Error() string { return e.explained.Error() }
func (e stateError) Unwrap() error { return e.explained }

// repairing calls build again after what was damaged in the cache is gone.
func (e *Engine) repairing(ctx context.Context, build func() error) error {
	reset := false
	for range maxRepairs {
		err := build()
		var damaged *image.DamagedError
		var state stateError
		switch {
		case err == nil || ctx.Err() != nil:
			return err
		case errors.As(err, &damaged):
			e.note(fmt.Sprintf("repairing the cache in %s: %v", e.options.contentDir(), damaged))
		case errors.As(err, &state) && !reset:
			reset = true
			e.note(fmt.Sprintf("BuildKit's state in %s is made again: %v", e.options.stateDir(), state))
			if err := e.reset(ctx, state); err != nil {
				return err
			}
		default:
			return err
		}
	}
	return build()
}

// solveFailed is an error of BuildKit; a stateError when its state caused it.
func (e *Engine) solveFailed(ctx context.Context, d *display, failed error) error {
	explained := e.explain(ctx, d, failed)
	var solving solveError
	if ctx.Err() == nil && errors.As(failed, &solving) && e.store.failed() == nil && solving.conn.damaged(solving) {
		return stateError{solving, explained}
	}
	return explained
}

// reset starts a node's BuildKit anew, from nothing.
func (e *Engine) reset(ctx context.Context, state stateError) error {
	left, err := filepath.Glob(filepath.Join(e.options.contentDir(), "ingest", "*")) // half of an export
	for _, path := range left {
		err = errors.Join(err, os.RemoveAll(path))
	}
	if err != nil {
		return err
	}
	closed, err := state.node.reset(ctx, state.conn)
	if closed != nil {
		e.note(closed.Error())
	}
	return err
}

// suspect looks for damage when something else failed: a flipped byte in a layer
// is a finding of the contract or a registry's refusal.
func suspect(ctx context.Context, images []*image.Image, failed error) error {
	if failed == nil || ctx.Err() != nil {
		return failed
	}
	for _, img := range images {
		if err := img.Check(ctx); err != nil {
			return err
		}
	}
	return failed
}

// note writes a line between BuildKit's.
func (e *Engine) note(line string) {
	if e.options.progress != nil {
		fmt.Fprintln(e.options.progress, line)
	}
}
