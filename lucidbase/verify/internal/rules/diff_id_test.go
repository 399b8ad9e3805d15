package rules_test

import (
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase/verify"
)

func TestDiffID(t *testing.T) {
	good := imageOf(t, cleanConfig(), cleanLayer(), []tarEntry{file("/app/x", "x")})
	require.Empty(t, found(t, "diff-id", good, verify.Contract{}))
	for name, c := range map[string]struct {
		change func(*v1.ConfigFile)
		found  []string
	}{
		"no history":        {func(c *v1.ConfigFile) { c.History = nil }, nil},
		"empty layers":      {func(c *v1.ConfigFile) { c.History = append(c.History, v1.History{EmptyLayer: true}) }, nil},
		"history too long":  {func(c *v1.ConfigFile) { c.History = append(c.History, v1.History{}) }, []string{"config:History: describes 3 layers"}},
		"history too short": {func(c *v1.ConfigFile) { c.History = c.History[:1] }, []string{"config:History: describes 1 layers"}},
		"swapped": {func(c *v1.ConfigFile) { d := c.RootFS.DiffIDs; d[0], d[1] = d[1], d[0] }, []string{
			"config:RootFS.DiffIDs: layer 1: says", "config:RootFS.DiffIDs: layer 2: says",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			config, err := good.ConfigFile()
			require.NoError(t, err)
			config = config.DeepCopy()
			c.change(config)
			img, err := mutate.ConfigFile(good, config)
			require.NoError(t, err)
			startsWith(t, c.found, found(t, "diff-id", img, verify.Contract{}))
		})
	}
}
