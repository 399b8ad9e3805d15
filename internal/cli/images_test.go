package cli

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWrongImageMirror(t *testing.T) {
	for _, mirror := range []string{"docker.io", "docker.io=hub", "docker.io=https://mirror.example.com"} {
		status, _, errOut := run(t, nil, "build", "alpine", "--cache-dir", t.TempDir(), "--image-mirror", mirror)
		require.Equal(t, statusUsage, status, errOut)
		require.Contains(t, errOut, "--image-mirror: reading image mirrors: ")
	}
}

// A graph is printed without a network: what only the image tells is an error.
func TestGraphOfAlpine(t *testing.T) {
	status, out, errOut := run(t, nil, "graph", "alpine")
	require.Equal(t, statusFailed, status)
	require.Empty(t, out)
	require.Contains(t, errOut, "not yet resolved for linux/amd64")
	require.Contains(t, errOut, "'lucidbase lock'")
	require.Equal(t, 2, strings.Count(errOut, "\n"), errOut)
}
