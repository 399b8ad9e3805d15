package variants_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/lock"
	"github.com/lucid-project/base-images/lucidbase/verify"
	"github.com/lucid-project/base-images/variants"
)

// withDev is a set of locks with packages of twins.
func withDev(locks *lock.Set) *lock.Set {
	set := *locks
	set.Dev = withSystem(locks, "bash")
	return &set
}

// A twin has the layers of its base, and above them its own; its contract and its label say
// what it is, and nothing of it is in its base's.
func TestDevTwin(t *testing.T) {
	locks := withDev(fixture(t))
	of, err := variants.Python{Locks: locks}.Graph(onAMD64)
	require.NoError(t, err)
	without, err := variants.Python{Locks: fixture(t)}.Graph(onAMD64)
	require.NoError(t, err)
	require.Equal(t, without.Config, of.Config, "its lock is none of the base's")

	twin, err := variants.Dev{Of: variants.Python{Locks: locks, Env: map[string]string{"TEAM": "core"}}}.Graph(onAMD64)
	require.NoError(t, err)
	history := twin.Config.History
	require.Equal(t, of.Config.History, history[:len(history)-2])
	require.Contains(t, history[len(history)-2].CreatedBy, "bash")
	c := twin.Config.Config
	require.Equal(t, "python-base-dev", c.Labels["org.opencontainers.image.title"])
	require.Equal(t, "true", c.Labels[verify.DevLabel])
	require.NotEqual(t, of.Config.Config.Labels[variants.LockDigestLabel], c.Labels[variants.LockDigestLabel])
	require.Subset(t, c.Env, []string{"PATH=/opt/packages/bin:/opt/venv/bin:/usr/local/bin:/usr/bin", "TEAM=core", "PIP_COMPILE=0"})
	require.Equal(t, of.Config.Config.User, c.User)
	require.True(t, twin.Contract.Dev)
	require.False(t, of.Contract.Dev)
	require.Equal(t, "1.0-1", twin.Contract.Packages["bash"])
}

// withoutShell is a set of locks whose Alpine image was locked without what twins have.
func withoutShell(t *testing.T) *lock.Set {
	t.Helper()
	set := fixture(t)
	for platform, p := range set.Alpine.Platforms {
		p.Dev = lock.UpstreamDev{}
		set.Alpine.Platforms[platform] = p
	}
	return set
}

// Alpine's twin has of the official image what Debian's has of packages.
func TestAlpineTwin(t *testing.T) {
	twin, err := variants.Dev{Of: variants.Alpine{Locks: fixture(t)}}.Graph(onAMD64)
	require.NoError(t, err)
	c := twin.Config.Config
	require.Equal(t, "alpine-base-dev", c.Labels["org.opencontainers.image.title"])
	require.Contains(t, c.Env, "PATH=/opt/packages/bin:/opt/venv/bin:/usr/local/bin:/usr/bin:/bin")
	require.Equal(t, "1.37.0-r0", twin.Contract.Packages["busybox"])
	of, err := variants.Alpine{Locks: fixture(t)}.Graph(onAMD64)
	require.NoError(t, err)
	require.NotContains(t, of.Contract.Packages, "busybox")
	require.NotEqual(t, of.Config.Config.Labels[variants.LockDigestLabel], c.Labels[variants.LockDigestLabel])
}

func TestWrongTwins(t *testing.T) {
	locks := withDev(fixture(t))
	old := withDev(fixture(t))
	old.Dev.Platforms["linux/amd64"] = lock.SystemPlatform{Base: "sha256:other", Added: old.Dev.Platforms["linux/amd64"].Added}
	for says, spec := range map[string]lucidbase.Spec{
		"Of: missing":                variants.Dev{},
		"lock again":                 variants.Dev{Of: variants.Alpine{Locks: withoutShell(t)}},
		"no packages of twins":       variants.Dev{Of: variants.Bare{Locks: fixture(t)}},
		lock.ErrOldSystem.Error():    variants.Dev{Of: variants.Bare{Locks: old}},
		"is for build stages":        variants.Service{Name: "x", Base: variants.Dev{Of: variants.Bare{Locks: locks}}, Command: []string{"python"}},
		`"a b" is not the name of a`: variants.Dev{Of: variants.Bare{Locks: locks, Env: map[string]string{"a b": ""}}},
	} {
		_, err := spec.Graph(onAMD64)
		require.ErrorContains(t, err, says)
	}
}
