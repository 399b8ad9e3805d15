package verify

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRefused(t *testing.T) {
	require.Subset(t, Refused(), []string{"pip", "setuptools", "uv", "poetry"})
	require.NotContains(t, Refused(), "wheel", "it installs nothing")
}
