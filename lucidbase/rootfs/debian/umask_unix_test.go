//go:build unix

package debian

import (
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/lucid-project/base-images/internal/supply"
)

func TestLayerDoesNotDependOnUmask(t *testing.T) {
	_, want := makeLayer(t, supply.Rootfs, base())
	for _, mask := range []int{0, 0o077} {
		old := unix.Umask(mask)
		_, got := makeLayer(t, supply.Rootfs, base())
		unix.Umask(old)
		require.Equal(t, want.Digest, got.Digest)
	}
}
