package rules_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase/verify"
)

func TestLockedPackages(t *testing.T) {
	layer := []tarEntry{
		file("/var/lib/dpkg/status.d/libc6", "Package: libc6\nVersion: 2.36-9\n"),
		file("/var/lib/dpkg/status.d/zlib1g", "Package: zlib1g\nVersion: 1:1.2\n"),
		file("/var/lib/dpkg/status.d/gone", "Package: gone\nVersion: 1\n"),
	}
	img := imageOf(t, cleanConfig(), layer, []tarEntry{whiteout("/var/lib/dpkg/status.d/gone")})
	require.Empty(t, found(t, "packages", img, verify.Contract{}), "no lock is given")
	require.Empty(t, found(t, "packages", img, verify.Contract{Packages: map[string]string{"libc6": "2.36-9", "zlib1g": "1:1.2"}}))
	require.Equal(t, []string{
		"/var/lib/dpkg/status.d/libc6: libc6 2.36-9, the lock says 2.36-8",
		"/var/lib/dpkg/status.d/zlib1g: zlib1g 1:1.2, which the lock does not have",
		"packages:gone: missing, the lock says 1",
	}, found(t, "packages", img, verify.Contract{Packages: map[string]string{"libc6": "2.36-8", "gone": "1"}}))
}
