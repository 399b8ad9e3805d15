//go:build linux

package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/crane"
	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/testregistry"
)

// The program in the README is this one, and it works.
func TestPush(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	source, err := os.ReadFile("main.go")
	require.NoError(t, err)
	_, program, _ := strings.Cut(string(source), "func main")
	require.Contains(t, string(readme), program, "README shows another program")

	if os.Geteuid() != 0 || testing.Short() {
		if os.Getenv("LUCID_REQUIRE_ENGINE") == "1" {
			require.FailNow(t, "needs root")
		}
		t.Skip("builds an image as root")
	}
	registry := testregistry.New(t)
	ref := registry.Ref("lucid/python-base:v1.0.0")
	cmd := exec.CommandContext(t.Context(), "go", "run", ".", ref)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	require.NoError(t, err)
	digest, err := crane.Digest(ref)
	require.NoError(t, err)
	require.Equal(t, ref+"@"+digest+"\n", string(out))
}
