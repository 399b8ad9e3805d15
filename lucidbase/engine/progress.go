package engine

import (
	"context"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/util/progress/progressui"
	"github.com/moby/buildkit/util/progress/progresswriter"

	"github.com/lucid-project/base-images/internal/patient"
)

// display shows the steps of several solves, and our own between them, as one
// build.
type display struct {
	status  chan *client.SolveStatus
	done    chan struct{}
	writers sync.WaitGroup
	solves  atomic.Int32
	// failures are those of the solves' steps.
	failures failures
}

func newDisplay(w io.Writer, mode string) (*display, error) {
	d := &display{status: make(chan *client.SolveStatus), done: make(chan struct{})}
	ui, err := progressui.NewDisplay(io.Discard, progressui.QuietMode)
	if w != nil {
		ui, err = progressui.NewDisplay(w, progressui.DisplayMode(mode))
	}
	if err != nil {
		return nil, fmt.Errorf("progress %q: %w", mode, err)
	}
	go func() {
		defer close(d.done)
		// The display lives until the last writer is done, not until ctx is: it
		// shows what was cancelled.
		_, _ = ui.UpdateFrom(context.Background(), d.status)
	}()
	return d, nil
}

// solve returns the channel for one solve, which closes it, and a function that takes
// its failures out of the account, as the solve is repeated elsewhere. note, unless it
// is nil, hears everything, too.
func (d *display) solve(note func(*client.SolveStatus)) (status chan *client.SolveStatus, forget func()) {
	ch := make(chan *client.SolveStatus)
	d.writers.Add(1)
	solve := int(d.solves.Add(1))
	go func() {
		defer d.writers.Done()
		for s := range ch {
			d.failures.note(solve, s)
			if note != nil {
				note(s)
			}
			d.status <- s
		}
	}()
	return ch, func() { d.failures.forget(solve) }
}

// step shows fn as a step of the build.
func (d *display) step(name string, fn func() error) error {
	d.writers.Add(1)
	defer d.writers.Done()
	return progresswriter.Wrap(name, func(s *client.SolveStatus) { d.status <- s },
		func(progresswriter.SubLogger) error { return fn() })
}

// wait is a patient.Waiter whose waiting is a step.
func (d *display) wait(ctx context.Context, pause time.Duration, why string) error {
	return d.step(why, func() error { return patient.Sleep(ctx, pause, why) })
}

// close waits until everything is shown.
func (d *display) close() {
	d.writers.Wait()
	close(d.status)
	<-d.done
}
