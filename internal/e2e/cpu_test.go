//go:build linux

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/sandbox"
)

// What is computed on one CPU is the same on another: graphs, locks and
// compressed bytes. The tests that say so are run as programs of the other one.
func TestLongOnTheOtherCPU(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("compiles tests for another architecture")
	}
	other := map[string]string{"amd64": "arm64", "arm64": "amd64"}[runtime.GOARCH]
	qemu, err := exec.LookPath(sandbox.Emulators[other].Program)
	if err != nil {
		missing(t, "running "+other+" programs needs qemu-user-static")
	}
	for _, c := range []struct{ pkg, tests string }{
		{"variants", "TestGolden|TestSameGraphEveryTime"},
		{"lucidbase/engine/internal/image", "TestVectors"},
	} {
		t.Run(c.pkg, func(t *testing.T) {
			bin := filepath.Join(t.TempDir(), "test")
			dir := filepath.Join("..", "..", filepath.FromSlash(c.pkg))
			build := exec.Command("go", "test", "-c", "-o", bin, ".")
			build.Dir = dir
			build.Env = append(os.Environ(), "GOARCH="+other, "CGO_ENABLED=0")
			out, err := build.CombinedOutput()
			require.NoError(t, err, string(out))
			run := exec.CommandContext(t.Context(), qemu, bin, "-test.v", "-test.run", c.tests)
			run.Dir = dir
			out, err = run.CombinedOutput()
			require.NoError(t, err, string(out))
			require.Contains(t, string(out), "--- PASS")
		})
	}
}
