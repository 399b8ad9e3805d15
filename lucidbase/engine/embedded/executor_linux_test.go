package embedded

import (
	"context"
	"testing"
	"time"

	"github.com/moby/buildkit/executor"
	"github.com/moby/buildkit/executor/resources/types"
	"github.com/stretchr/testify/require"
)

// slowExecutor is a runc that needs its time to end.
type slowExecutor struct {
	executor.Executor
	running chan struct{}
	ended   bool
}

func (s *slowExecutor) Run(ctx context.Context, _ string, _ executor.Mount, _ []executor.Mount, _ executor.ProcessInfo, _ chan<- struct{}) (types.Recorder, error) {
	close(s.running)
	<-ctx.Done()
	time.Sleep(100 * time.Millisecond)
	s.ended = true
	return nil, context.Cause(ctx)
}

func TestCloseWaitsForSteps(t *testing.T) {
	requireEngine(t)
	server, err := serve(t.Context(), t.TempDir(), newGate("", nil), false)
	require.NoError(t, err)
	lazy := server.executor
	slow := &slowExecutor{running: make(chan struct{})}
	lazy.inner = slow
	result := make(chan error, 1)
	go func() {
		_, err = lazy.Run(context.Background(), "id", executor.Mount{}, nil, executor.ProcessInfo{}, nil)
		result <- err
	}()
	<-slow.running
	require.NoError(t, server.close())
	require.True(t, slow.ended, "closed before the step ended")
	require.ErrorIs(t, <-result, errClosed)

	started := make(chan struct{})
	_, err = lazy.Run(context.Background(), "id", executor.Mount{}, nil, executor.ProcessInfo{}, started)
	require.ErrorIs(t, err, errClosed)
	<-started // whoever waits for the start is not left waiting
	require.ErrorIs(t, lazy.Exec(context.Background(), "id", executor.ProcessInfo{}), errClosed)
}
