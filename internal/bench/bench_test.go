//go:build linux

// Package bench measures what a user waits for. Run the benchmarks together, on
// one machine in one go, and compare side by side: make bench.
package bench

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase/rootfs/debian"
)

// lucidbase builds the command.
func lucidbase(b *testing.B) string {
	b.Helper()
	bin := filepath.Join(b.TempDir(), "lucidbase")
	run(b, exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", bin, "github.com/lucid-project/base-images/cmd/lucidbase"))
	return bin
}

func run(b *testing.B, cmd *exec.Cmd) *syscall.Rusage {
	b.Helper()
	out, err := cmd.CombinedOutput()
	require.NoError(b, err, string(out))
	return cmd.ProcessState.SysUsage().(*syscall.Rusage)
}

func build(b *testing.B, bin, cache, dist string) *syscall.Rusage {
	b.Helper()
	return run(b, exec.Command(bin, "build", "base", "python-base", "--progress", "quiet", "--cache-dir", cache, "--output", dist))
}

// Cold: empty state, empty caches, both images for both platforms.
func BenchmarkCold(b *testing.B) {
	bin := lucidbase(b)
	for b.Loop() {
		usage := build(b, bin, filepath.Join(b.TempDir(), "cache"), filepath.Join(b.TempDir(), "dist"))
		b.ReportMetric(float64(usage.Maxrss)/1024, "MB-peak")
	}
}

// The same work by plain tools: what Cold is measured against.
func BenchmarkPlainTools(b *testing.B) {
	script, err := filepath.Abs("plain")
	require.NoError(b, err)
	mirrors, err := debian.Mirrors(os.DirFS("/"), os.Getenv("LUCID_DEBIAN_MIRROR"), os.Getenv("LUCID_DEBIAN_SECURITY_MIRROR"))
	require.NoError(b, err)
	require.NotEmpty(b, mirrors["debian"], "no Debian mirror is configured")
	require.NotEmpty(b, mirrors["debian-security"], "no Debian security mirror is configured")
	for b.Loop() {
		run(b, exec.Command(script, mirrors["debian"][0], mirrors["debian-security"][0], filepath.Join(b.TempDir(), "work")))
	}
}

// Nothing changed since the last build.
func BenchmarkUnchanged(b *testing.B) {
	bin, cache, dist := lucidbase(b), filepath.Join(b.TempDir(), "cache"), filepath.Join(b.TempDir(), "dist")
	build(b, bin, cache, dist)
	for b.Loop() {
		build(b, bin, cache, dist)
	}
}

// The contract, on base for two platforms with no facts kept: the most that it
// adds to a build, which reads layers that are not compressed.
func BenchmarkVerify(b *testing.B) {
	bin, dist := lucidbase(b), filepath.Join(b.TempDir(), "dist")
	build(b, bin, filepath.Join(b.TempDir(), "cache"), dist)
	for b.Loop() {
		usage := run(b, exec.Command(bin, "verify", filepath.Join(dist, "base")))
		b.ReportMetric(float64(usage.Maxrss)/1024, "MB-peak")
	}
}

// Every lock resolved from nothing.
func BenchmarkLock(b *testing.B) {
	bin := lucidbase(b)
	locks, err := filepath.Abs("../../lucidbase/lock")
	require.NoError(b, err)
	for b.Loop() {
		dir := filepath.Join(b.TempDir(), "lock")
		require.NoError(b, os.CopyFS(dir, os.DirFS(locks)))
		run(b, exec.Command(bin, "lock", "--dir", dir, "--progress", "quiet", "--cache-dir", filepath.Join(b.TempDir(), "cache")))
	}
}

// A graph is printed without an engine.
func BenchmarkGraph(b *testing.B) {
	bin := lucidbase(b)
	for b.Loop() {
		run(b, exec.Command(bin, "graph", "base"))
	}
}

// The yardstick does the same work: it makes a layer where Cold makes one.
func TestPlainToolsScriptParses(t *testing.T) {
	out, err := exec.Command("bash", "-n", "plain").CombinedOutput()
	require.NoError(t, err, string(out))
	require.Empty(t, strings.TrimSpace(string(out)))
}
