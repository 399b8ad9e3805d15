package rules_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase/verify"
)

func TestLockedDistributions(t *testing.T) {
	const site = "/opt/venv/lib/python3.11/site-packages"
	layer := append(cleanLayer(), distribution(site, "Big.Thing", "2.0", file("big/__init__.py", ""))...)
	layer = append(layer, distribution(site+"/big/_vendor", "carried", "3.0", file("c.py", ""))...)
	img := imageOf(t, cleanConfig(), layer)
	locked := map[string]string{"tiny": "1.0", "big-thing": "2.0"}
	require.Empty(t, found(t, "distributions", img, verify.Contract{}), "no lock is given")
	require.Empty(t, found(t, "distributions", img, verify.Contract{Distributions: locked}))
	locked = map[string]string{"big-thing": "2.1", "gone": "1"}
	startsWith(t, []string{
		site + "/Big.Thing-2.0.dist-info/METADATA: Big.Thing 2.0, the lock says 2.1",
		site + "/tiny-1.0.dist-info/METADATA: tiny 1.0, which the lock does not have",
		"distributions:gone: missing, the lock says 1",
	}, found(t, "distributions", img, verify.Contract{Distributions: locked}))
}
