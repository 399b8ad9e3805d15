package supply_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/supply"
	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/lock"
)

func TestPythonVersion(t *testing.T) {
	d := lock.Debian{Platforms: map[string]lock.DebianPlatform{
		"linux/amd64": {Rootfs: lock.Layer{Packages: []lock.Package{{Name: "python3.11-minimal", Version: "3.11.2-6+deb12u9"}}}},
	}}
	version, err := supply.PythonVersion(d, lucidbase.LinuxAMD64)
	require.NoError(t, err)
	require.Equal(t, "3.11.2", version)
	_, err = supply.PythonVersion(d, lucidbase.LinuxARM64)
	require.ErrorContains(t, err, "linux/arm64")
}
