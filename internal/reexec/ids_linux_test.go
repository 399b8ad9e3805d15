package reexec

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFindSubordinate(t *testing.T) {
	for name, c := range map[string]struct {
		text  string
		first int
	}{
		"by name":        {"other:1:65536\nme:100000:65536\n", 100000},
		"by number":      {"1000:200000:65536\n", 200000},
		"second range":   {"me:5:10\nme:300000:70000\n", 300000},
		"none":           {"other:1:65536\n", 0},
		"too small":      {"me:100000:1000\n", 0},
		"broken":         {"me:x:65536\nme\n\nme:1:y\n", 0},
		"no end of line": {"me:400000:65535", 400000},
	} {
		first, _, ok := findSubordinate(c.text, "me", 1000)
		require.Equal(t, c.first, first, name)
		require.Equal(t, c.first != 0, ok, name)
	}
}
