package variants_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/lock"
	"github.com/lucid-project/base-images/variants"
)

// A lock that names the image by digest alone asks for what the image holds, and
// has the same graph and config as one that says so.
func TestAlpineAsksForItsImage(t *testing.T) {
	full := fixture(t)
	pinned := *full
	pinned.Alpine = full.Alpine.Pin()
	for _, target := range lucidbase.AllPlatforms() {
		p := lucidbase.Platforms{Target: target, Build: lucidbase.LinuxAMD64}
		_, err := variants.Alpine{Locks: &pinned}.Graph(p)
		var ask *lucidbase.UnresolvedUpstreamError
		require.ErrorAs(t, err, &ask)
		require.Equal(t, target, ask.Platform)
		require.Equal(t, pinned.Alpine, ask.Upstream)
		require.ErrorContains(t, err, "alpine-base: docker.io/library/python:3.11-alpine3.23@sha256:")

		want := definition(t, variants.Alpine{Locks: full}, p)
		p.Upstreams = lucidbase.Upstreams{full.Alpine.Digest: full.Alpine}
		require.Equal(t, want, definition(t, variants.Alpine{Locks: &pinned}, p))
	}
}

// What else is wrong is reported before the network is asked for anything.
func TestAlpineWrongFields(t *testing.T) {
	pinned := *fixture(t)
	pinned.Alpine = pinned.Alpine.Pin()
	_, err := variants.Alpine{Locks: &pinned, Env: map[string]string{"1BAD": "x"}}.Graph(onAMD64)
	require.ErrorContains(t, err, "1BAD")
	require.NotErrorAs(t, err, new(*lucidbase.UnresolvedUpstreamError))

	pinned.Alpine = lock.Upstream{}
	_, err = variants.Alpine{Locks: &pinned}.Graph(onAMD64)
	require.ErrorContains(t, err, "alpine-base: Locks: no Alpine image")
}

func TestAlpineConfig(t *testing.T) {
	g, err := variants.Alpine{Locks: fixture(t), Version: "v1.2.3"}.Graph(onAMD64)
	require.NoError(t, err)
	python, err := variants.Python{Locks: fixture(t), Version: "v1.2.3"}.Graph(onAMD64)
	require.NoError(t, err)
	require.Equal(t, python.Config.Config.Env, g.Config.Config.Env)
	require.Equal(t, "65532:65532", g.Config.Config.User)
	require.Equal(t, "/app", g.Config.Config.WorkingDir)
	require.Equal(t, []string{"python"}, g.Config.Config.Cmd)
	require.Len(t, g.Config.History, 5, "root filesystem, bytecode, idna, markupsafe, pymongo")
	require.NotEqual(t, python.Config.Config.Labels[variants.LockDigestLabel], g.Config.Config.Labels[variants.LockDigestLabel])
}

// The committed lock names the official image by digest alone: an engine finds out
// the rest, a graph without one cannot.
func ExampleAlpine() {
	locks, err := lock.Default()
	if err != nil {
		fmt.Println(err)
		return
	}
	pinned := *locks
	pinned.Alpine = locks.Alpine.Pin()
	_, err = variants.Alpine{Locks: &pinned}.Graph(lucidbase.Platforms{Target: lucidbase.LinuxARM64, Build: lucidbase.LinuxAMD64})
	var ask *lucidbase.UnresolvedUpstreamError
	fmt.Println(errors.As(err, &ask), lucidbase.FormatPlatform(ask.Platform))
	// Output: true linux/arm64
}
