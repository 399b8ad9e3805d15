package programs

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestSignaturesAreShort: a window's overlap must hold each word.
func TestSignaturesAreShort(t *testing.T) {
	for _, w := range signatureWords {
		require.LessOrEqual(t, len(w), 128)
		require.GreaterOrEqual(t, len(w), 5, "short words make the search slow")
	}
}
