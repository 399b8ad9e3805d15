package embedded

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase/engine"
)

// Another version's BuildKit is not shared: who wants its state waits for its end.
func TestOtherVersionWaits(t *testing.T) {
	root, err := stateRoot(t.TempDir())
	require.NoError(t, err)
	lock, err := tryLock(root)
	require.NoError(t, err)
	require.NoError(t, writeOwner(root, 7))
	socket, err := listen(root)
	require.NoError(t, err)
	lis, err := net.FileListener(socket)
	require.NoError(t, err)
	require.NoError(t, socket.Close())
	go func() {
		for {
			conn, err := lis.Accept()
			if err != nil {
				return
			}
			_ = sayLine(conn, childName+" 0 v0.1.0")
			_ = conn.Close()
		}
	}()
	ctx, cancel := context.WithCancel(t.Context())
	opened := make(chan error, 1)
	waiting := make(chan string, 1)
	config := engine.BackendConfig{StateDir: filepath.Dir(root), Notify: func(line string) { waiting <- line }}
	go func() {
		_, err := Open(ctx, config)
		opened <- err
	}()
	want := fmt.Sprintf("waiting for process 7 (BuildKit, started by embedded.test) that uses %s: it is of another version: 0 v0.1.0", root)
	require.Equal(t, want, <-waiting)
	cancel()
	err = <-opened
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorContains(t, err, want)

	requireEngine(t)
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
	case <-time.After(100 * time.Millisecond):
	}
	require.NoError(t, lis.Close())
	require.NoError(t, lock.Close())
	require.NoError(t, <-opened)
}

func TestStateDirectoryErrors(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err := Open(t.Context(), engine.BackendConfig{StateDir: filepath.Join(file, "state")})
	require.ErrorContains(t, err, "making BuildKit's state directory: mkdir "+file)
}
