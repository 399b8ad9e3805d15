package embedded

import (
	"context"
	"errors"
	"sync"

	"github.com/moby/buildkit/executor"
	"github.com/moby/buildkit/executor/resources/types"

	"github.com/lucid-project/base-images/internal/reexec"
)

var errClosed = errors.New("the engine is closed")

// lazyExecutor looks for runc when the first step runs: a build of which all is
// cached needs none. It knows which steps run, and can end them.
type lazyExecutor struct {
	rootless bool
	open     func(runc string) (executor.Executor, error)

	mu      sync.Mutex
	inner   executor.Executor
	closed  bool
	running sync.WaitGroup
	ctx     context.Context
	cancel  context.CancelCauseFunc
}

func newLazyExecutor(rootless bool, open func(runc string) (executor.Executor, error)) *lazyExecutor {
	l := &lazyExecutor{rootless: rootless, open: open}
	l.ctx, l.cancel = context.WithCancelCause(context.Background())
	return l
}

// Run runs a step's process and returns when nothing is left of it.
func (l *lazyExecutor) Run(ctx context.Context, id string, root executor.Mount, mounts []executor.Mount, process executor.ProcessInfo, started chan<- struct{}) (types.Recorder, error) {
	inner, err := l.enter()
	if err != nil {
		if started != nil {
			close(started)
		}
		return nil, err
	}
	defer l.running.Done()
	ctx, cancel := l.bound(ctx)
	defer cancel()
	return inner.Run(ctx, id, root, mounts, process, started)
}

// Exec runs a further process in a running step.
func (l *lazyExecutor) Exec(ctx context.Context, id string, process executor.ProcessInfo) error {
	inner, err := l.enter()
	if err != nil {
		return err
	}
	defer l.running.Done()
	ctx, cancel := l.bound(ctx)
	defer cancel()
	return inner.Exec(ctx, id, process)
}

// enter counts a process in; the caller ends with running.Done.
func (l *lazyExecutor) enter() (executor.Executor, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil, errClosed
	}
	if l.inner == nil {
		runc, err := reexec.FindRunc(l.rootless)
		if err != nil {
			return nil, err
		}
		if l.inner, err = l.open(runc); err != nil {
			return nil, err
		}
	}
	l.running.Add(1)
	return l.inner, nil
}

// bound ends a context when the executor closes, too.
func (l *lazyExecutor) bound(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(l.ctx, func() { cancel(errClosed) })
	return ctx, func() { stop(); cancel(nil) }
}

// close kills what runs and lets nothing new start; wait then waits for the end.
func (l *lazyExecutor) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	l.cancel(errClosed)
}

func (l *lazyExecutor) wait() { l.running.Wait() }
