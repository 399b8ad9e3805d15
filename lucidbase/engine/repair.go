package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/lucid-project/base-images/lucidbase/engine/internal/image"
)

// A cache holds nothing that cannot be made again. What is damaged in it is
// removed where it is noticed, and the build starts again: that takes no longer
// than making what was lost.

// maxRepairs is how often a build starts again. Each time something damaged is
// gone.
const maxRepairs = 20

// maxRestarts is how often a build goes on with another BuildKit. One that ends
// each time is ended by the build.
const maxRestarts = 2

// brokenError says that a node's BuildKit ended or its state is damaged, and why.
type brokenError struct {
	solveError
	why       error
	explained error
}

func (e brokenError) Error() string { return e.explained.Error() }
func (e brokenError) Unwrap() error { return e.explained }

// repairing calls build again after what was damaged in the cache is gone.
func (e *Engine) repairing(ctx context.Context, build func() error) error {
	restarts := 0
	for range maxRepairs {
		err := build()
		var damaged *image.DamagedError
		var broken brokenError
		switch {
		case err == nil || ctx.Err() != nil:
			return err
		case errors.As(err, &damaged):
			e.note(fmt.Sprintf("repairing the cache in %s: %v", e.options.contentDir(), damaged))
		case errors.As(err, &broken) && restarts == maxRestarts:
			return fmt.Errorf("%w (%w; so it was %d times before)", err, broken.why, restarts)
		case errors.As(err, &broken):
			restarts++
			e.note(fmt.Sprintf("building again: %v", broken.why))
			if err := e.restart(ctx, broken); err != nil {
				return err
			}
		default:
			return err
		}
	}
	return build()
}

// solveFailed is an error of BuildKit; a brokenError when it is BuildKit's fault.
func (e *Engine) solveFailed(ctx context.Context, d *display, failed error) error {
	explained := e.explain(ctx, d, failed)
	var solving solveError
	if ctx.Err() == nil && errors.As(failed, &solving) && e.store.failed() == nil {
		if why := solving.conn.broken(solving); why != nil {
			return brokenError{solving, why, explained}
		}
	}
	return explained
}

// restart connects to a node's BuildKit anew, if that is what is broken.
func (e *Engine) restart(ctx context.Context, broken brokenError) error {
	if errors.Is(broken.why, errLeft) {
		return nil
	}
	closed, err := broken.node.restart(ctx, broken.conn)
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

// warnOnce returns a function that shows an error as a warning, the first time.
func (e *Engine) warnOnce() func(error) {
	var once sync.Once
	return func(err error) {
		once.Do(func() { e.note("warning: " + err.Error() + ": going on without credentials") })
	}
}

// note writes a line between BuildKit's.
func (e *Engine) note(line string) {
	if e.options.progress != nil {
		fmt.Fprintln(e.options.progress, line)
	}
}
