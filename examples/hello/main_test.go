package main

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase/lucidtest"
)

// The service answers, as it runs in production.
func TestHello(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs an image")
	}
	c := lucidtest.Run(t, hello, lucidtest.WaitHealthy())
	res, err := c.Client().Get("http://hello:8000/")
	require.NoError(t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.Equal(t, "Hello, world!\n", string(text))
}

// The program builds its image, for both platforms.
func TestBuild(t *testing.T) {
	if testing.Short() {
		t.Skip("builds an image")
	}
	dist := filepath.Join(t.TempDir(), "dist")
	cmd := exec.CommandContext(t.Context(), "go", "run", ".", "build", "--output", dist)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	require.NoError(t, err)
	require.Regexp(t, "^hello lucid/hello:latest@sha256:[0-9a-f]{64}\n$", string(out))
	require.FileExists(t, filepath.Join(dist, "hello", "index.json"))
}
