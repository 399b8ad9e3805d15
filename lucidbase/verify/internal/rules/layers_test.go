package rules_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase/verify"
)

func TestLockedLayers(t *testing.T) {
	img := imageOf(t, cleanConfig(), cleanLayer(), []tarEntry{file("/app/x", "x")})
	config, err := img.ConfigFile()
	require.NoError(t, err)
	ids := config.RootFS.DiffIDs
	require.Empty(t, found(t, "layers", img, verify.Contract{Layers: ids[:1]}))
	require.Empty(t, found(t, "layers", img, verify.Contract{Layers: ids}))
	require.Len(t, found(t, "layers", img, verify.Contract{Layers: ids[1:]}), 1, "in another place")
	require.Equal(t, []string{"config:RootFS.DiffIDs: layer 3: missing, the lock says " + ids[0].String()},
		found(t, "layers", img, verify.Contract{Layers: append(ids, ids[0])}))
}
