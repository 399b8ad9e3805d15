package verify_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase/verify"
	"github.com/lucid-project/base-images/lucidbase/verify/internal/verifytest"
)

// A finding names the file that a person has.
func TestCopied(t *testing.T) {
	image := verifytest.ImageOf(t, verifytest.CleanConfig(), append(verifytest.CleanLayer(), verifytest.File("/app/.env", "A=1\n"), verifytest.File("/app/src/.env", "A=1\n"), verifytest.File("/app/src2/.env", "A=1\n")))
	copied := []verify.Copied{{Path: "/app", Source: "."}, {Path: "/app/src", Source: "../a"}, {Path: "/app/src", Source: "../b"}}
	result, err := verify.Image(t.Context(), image, verify.Contract{Only: []string{"secret-file"}, Copied: copied}, nil)
	require.NoError(t, err)
	got := map[string]string{}
	for _, f := range result.Findings {
		got[f.Path] = f.Source
		require.Contains(t, f.String(), " ("+f.Source+")")
	}
	require.Equal(t, map[string]string{"/app/.env": ".env", "/app/src/.env": "../a/.env or ../b/.env", "/app/src2/.env": "src2/.env"}, got)
}
