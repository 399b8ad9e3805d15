package yaml_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/file"
)

// The file is one that "lucidbase build -f lucidbase.yaml" builds.
func TestFile(t *testing.T) {
	services, err := file.Load(os.DirFS("."), file.Name)
	require.NoError(t, err)
	require.Len(t, services, 2)
	for name, s := range services {
		g, err := s.Graph(lucidbase.Platforms{Target: lucidbase.LinuxARM64, Build: lucidbase.LinuxAMD64})
		require.NoError(t, err, name)
		require.Len(t, g.Locals, 1)
		require.Equal(t, "Lucid", g.Config.Config.Labels["org.opencontainers.image.vendor"])
	}
}
