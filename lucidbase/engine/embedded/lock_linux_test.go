package embedded

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase/engine"
)

func TestSecondProcessWaits(t *testing.T) {
	requireEngine(t)
	dir := t.TempDir()
	holder := startJob(t, job{StateDir: dir, Do: "hold"}, nil)
	holder.expect(t, "open")

	waiting := make(chan string, 1)
	config := engine.BackendConfig{StateDir: dir, Notify: func(line string) { waiting <- line }}
	ctx, cancel := context.WithCancel(t.Context())
	opened := make(chan error, 1)
	go func() {
		_, err := Open(ctx, config)
		opened <- err
	}()
	want := fmt.Sprintf("waiting for process %d (exe) that uses %s", holder.Process.Pid, filepath.Join(dir, "uid-0"))
	require.Equal(t, want, <-waiting)
	cancel()
	err := <-opened
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorContains(t, err, want)

	go func() {
		b, err := Open(t.Context(), config)
		if err == nil {
			err = b.Close()
		}
		opened <- err
	}()
	<-waiting
	select {
	case err := <-opened:
		require.Fail(t, "it did not wait", "%v", err)
	case <-time.After(200 * time.Millisecond):
	}
	require.NoError(t, holder.stdin.Close())
	require.NoError(t, <-opened)
	require.NoError(t, holder.Wait())
}

func TestStateDirectoryErrors(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err := Open(t.Context(), engine.BackendConfig{StateDir: filepath.Join(file, "state")})
	require.ErrorContains(t, err, "making BuildKit's state directory: mkdir "+file)
}
