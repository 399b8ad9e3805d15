package verify

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCleanImage(t *testing.T) {
	r, err := Image(t.Context(), imageOf(t, cleanConfig(), cleanLayer()), Contract{}, nil)
	require.NoError(t, err)
	require.Empty(t, r.Findings)
}
