//go:build linux

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase"
)

// The service in the README is this one, and it is a program of fifteen lines.
func TestHello(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	source, err := os.ReadFile("main.go")
	require.NoError(t, err)
	_, own, _ := strings.Cut(string(source), "\n)\n")
	_, service, _ := strings.Cut(own, "\nvar hello")
	service, _, _ = strings.Cut(service, "\n}\n")
	require.Contains(t, string(readme), "\nvar hello"+service+"\n}\n", "README shows another service")
	lines := 0
	for line := range strings.Lines(own) {
		if strings.Trim(line, " \t\n})") != "" {
			lines++
		}
	}
	require.LessOrEqual(t, lines, 15)
	g, err := hello.Graph(lucidbase.Platforms{Target: lucidbase.LinuxARM64, Build: lucidbase.LinuxAMD64})
	require.NoError(t, err)
	require.Len(t, g.Locals, 1)
}

// The program builds its image; internal/e2e runs services on both processors.
func TestBuild(t *testing.T) {
	if os.Geteuid() != 0 || testing.Short() {
		if os.Getenv("LUCID_REQUIRE_ENGINE") == "1" {
			require.FailNow(t, "needs root")
		}
		t.Skip("builds an image as root")
	}
	dist := filepath.Join(t.TempDir(), "dist")
	cmd := exec.CommandContext(t.Context(), "go", "run", ".", "build", "--output", dist)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	require.NoError(t, err)
	require.Regexp(t, "^hello lucid/hello:latest@sha256:[0-9a-f]{64}\n$", string(out))
	require.FileExists(t, filepath.Join(dist, "hello", "index.json"))
}
