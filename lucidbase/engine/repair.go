package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/moby/buildkit/client"

	"github.com/lucid-project/base-images/lucidbase/engine/internal/image"
)

// A cache holds nothing that cannot be made again. What is damaged in it is
// removed where it is noticed, and the build starts again: that takes no longer
// than making what was lost.

// maxRepairs is how often a build starts again. Each time something damaged is
// gone.
const maxRepairs = 20

// connection is an open BuildKit.
type connection struct {
	client  *client.Client
	backend Backend // nil for a remote BuildKit
}

// damaged reports whether a solve failed because of what BuildKit, or an export
// to us that was interrupted, left on the disk.
func (c *connection) damaged(failed error) bool {
	if c.backend == nil {
		return strings.Contains(failed.Error(), "unexpected commit ")
	}
	return c.backend.Damaged(failed)
}

func (c *connection) close() error {
	var errs []error
	if c.client != nil {
		errs = append(errs, c.client.Close())
	}
	if c.backend != nil {
		errs = append(errs, c.backend.Close())
	}
	return errors.Join(errs...)
}

// stateError is that BuildKit's own state is damaged.
type stateError struct {
	conn *connection
	error
}

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
			if err := e.reset(ctx, state.conn); err != nil {
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
		return stateError{solving.conn, explained}
	}
	return explained
}

// reset starts BuildKit anew, from nothing, unless another build did it meanwhile.
func (e *Engine) reset(ctx context.Context, old *connection) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.conn != old {
		return nil
	}
	left, err := filepath.Glob(filepath.Join(e.options.contentDir(), "ingest", "*")) // half of an export
	for _, path := range left {
		err = errors.Join(err, os.RemoveAll(path))
	}
	if err != nil || old.backend == nil {
		return err
	}
	if err := old.close(); err != nil {
		e.note(err.Error()) // of what is damaged anyway
	}
	e.conn, err = e.start(ctx, true)
	return err
}

// connected returns the connection of this moment, and starts the embedded BuildKit
// if nothing has needed it before.
func (e *Engine) connected(ctx context.Context) (*connection, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.conn != nil {
		return e.conn, nil
	}
	conn, err := e.start(ctx, false)
	if err == nil {
		e.conn = conn
	}
	return conn, err
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
