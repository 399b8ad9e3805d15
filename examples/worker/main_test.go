package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase/lucidtest"
)

// A task is sent, done and answered, with a real Redis between.
func TestTask(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs images")
	}
	service, err := worker()
	require.NoError(t, err)
	c := lucidtest.Run(t, service, lucidtest.WaitLog("ready."),
		lucidtest.Peers(t, map[string]lucidtest.Peer{"redis": {
			Packages: []string{"redis-server"},
			Options:  []lucidtest.Option{lucidtest.Args("redis-server", "--protected-mode", "no"), lucidtest.WaitPort(6379)},
		}}))
	out := c.Exec("python", "-c", "from src.tasks import add; print(add.delay(40, 2).get(timeout=30))")
	require.Equal(t, "42\n", out.Stdout, out.Stderr)
	require.Contains(t, c.Logs(), "src.tasks.add")
}
