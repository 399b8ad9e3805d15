package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// The locks beside this program have psutil as a source for both CPUs. The tests of
// internal/e2e build the image and run it.
func TestImage(t *testing.T) {
	spec, err := image()
	require.NoError(t, err)
	require.Len(t, spec.Packages.Requirements, 1)
	psutil := spec.Packages.Requirements[0]
	require.Equal(t, "psutil", psutil.Name)
	require.Equal(t, "5.9.6", psutil.Version)
	require.Equal(t, []string{"musllinux_1_2_x86_64", "musllinux_1_2_aarch64"}, psutil.Sdist.Targets)
}
