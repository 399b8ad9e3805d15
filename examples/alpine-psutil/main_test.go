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
	require.Len(t, spec.Sources, 1)
	require.Equal(t, "psutil", spec.Sources[0].Name)
	require.Equal(t, "5.9.6", spec.Sources[0].Version)
	require.Equal(t, []string{"musllinux_1_2_x86_64", "musllinux_1_2_aarch64"}, spec.Sources[0].Targets)
}
