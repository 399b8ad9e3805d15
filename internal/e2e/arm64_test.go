//go:build linux

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/sandbox"
	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/engine"
	_ "github.com/lucid-project/base-images/lucidbase/engine/embedded"
	"github.com/lucid-project/base-images/variants"
)

// On a Raspberry Pi or an ARM64 laptop the stages run ARM64 tools. The images
// are the same, digest for digest. This is the one build that may use QEMU, for
// want of such a machine; base has all that python-base has.
func TestLongStagesOnTheOtherArchitecture(t *testing.T) {
	s := needEngine(t)
	want := s.firstBuild(t).digests()
	other := lucidbase.LinuxARM64
	if runtime.GOARCH == "arm64" {
		other = lucidbase.LinuxAMD64
	}
	register(t, other.Architecture)
	eng, err := engine.Open(t.Context(), "", engine.WithCacheDir(t.TempDir()), engine.WithProgress(os.Stderr), engine.WithProgressMode("plain"))
	require.NoError(t, err)
	defer func() { require.NoError(t, eng.Close()) }()
	dist := t.TempDir()
	res, err := eng.Build(t.Context(), engine.Job{Spec: builtOn(other, variants.Standard{}), To: engine.Layout(filepath.Join(dist, "base"), "lucid/base:latest")})
	require.NoError(t, err)
	require.Equal(t, want["base"], res.Digest)
}

// builtOn is a spec whose stages run on another platform than the engine's.
func builtOn(build ocispecs.Platform, spec lucidbase.Spec) lucidbase.Spec {
	return lucidbase.SpecFunc(func(p lucidbase.Platforms) (lucidbase.Graph, error) {
		p.Build = build
		return spec.Graph(p)
	})
}

// register has the kernel run programs of another architecture until the test
// ends.
func register(t *testing.T, arch string) {
	t.Helper()
	e := sandbox.Emulators[arch]
	if e.Registered() {
		return
	}
	program, err := exec.LookPath(e.Program)
	if err != nil {
		missing(t, "running stages as "+arch+" needs qemu-user-static")
	}
	const mount = "/proc/sys/fs/binfmt_misc"
	if _, err := os.Stat(filepath.Join(mount, "register")); err != nil {
		require.NoError(t, syscall.Mount("binfmt_misc", mount, "binfmt_misc", 0, ""))
		t.Cleanup(func() { require.NoError(t, syscall.Unmount(mount, 0)) })
	}
	require.NoError(t, os.WriteFile(filepath.Join(mount, "register"), []byte(e.Registration(program)), 0o200))
	t.Cleanup(func() {
		require.NoError(t, os.WriteFile(filepath.Join(mount, e.Handler), []byte("-1"), 0o200))
	})
}
