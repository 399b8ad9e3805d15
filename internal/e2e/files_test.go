package e2e

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase"
)

// testFiles looks at what the contract does not: the build has verified the rest.
func testFiles(t *testing.T, files tree) {
	require.NotEmpty(t, files.entries)
	require.Empty(t, wrongTimes(files))
	for _, name := range []string{"tmp", "var/tmp"} {
		require.Contains(t, files.entries, name)
		require.EqualValues(t, 0o1777, files.entries[name].Mode&0o7777, name)
	}
}

// wrongTimes looks at each layer's own entries, also those that a higher layer
// replaces: the digest is made of all of them.
func wrongTimes(files tree) []string {
	var found []string
	for i, layer := range files.layers {
		for _, h := range layer {
			if !h.ModTime.Equal(lucidbase.Epoch()) {
				found = append(found, fmt.Sprintf("layer %d: %s: %s", i, h.Name, h.ModTime.UTC()))
			}
		}
	}
	return found
}
