package variants_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/lock"
	"github.com/lucid-project/base-images/lucidbase/verify"
	"github.com/lucid-project/base-images/variants"
)

// An image is held to its locks: names and versions of all that it may hold.
func TestContract(t *testing.T) {
	locks := fixture(t)
	extra := pure("itsdangerous", "2.2.0", 1000)
	waiver := verify.Waiver{Rule: "link", Path: "/x", Reason: "made at run time"}
	g, err := variants.Python{Locks: locks, Packages: extra, Waivers: []verify.Waiver{waiver}}.Graph(
		lucidbase.Platforms{Target: lucidbase.LinuxARM64, Build: lucidbase.LinuxAMD64})
	require.NoError(t, err)
	c := g.Contract
	root := locks.Debian.Platforms["linux/arm64"].Rootfs
	require.Equal(t, root.Digest, c.Layers[0].String())
	require.Len(t, c.Packages, len(root.Packages))
	require.Equal(t, root.Packages[0].Version, c.Packages[root.Packages[0].Name])
	require.Len(t, c.Distributions, len(locks.Python[lock.Python].Requirements)+1)
	require.Equal(t, "2.2.0", c.Distributions["itsdangerous"])
	require.Equal(t, g.Config.Config.Labels[variants.LockDigestLabel], c.Labels[variants.LockDigestLabel])
	require.Equal(t, []verify.Waiver{waiver}, c.Waivers)
}

func TestBadWaiver(t *testing.T) {
	for _, w := range []verify.Waiver{{Rule: "link", Path: "/x"}, {Rule: "link", Reason: "y"}, {Rule: "lnk", Path: "/x", Reason: "y"}} {
		_, err := variants.Python{Locks: fixture(t), Waivers: []verify.Waiver{w}}.Graph(
			lucidbase.Platforms{Target: lucidbase.LinuxARM64, Build: lucidbase.LinuxAMD64})
		require.ErrorContains(t, err, "python-base: Waivers: waiver ")
	}
}
