package engine

import (
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/verify"
)

// A Spec can excuse a file, not switch a rule off, nor choose for whom it is.
func TestContractOf(t *testing.T) {
	c, err := contractOf(lucidbase.Graph{Contract: verify.Contract{Platform: v1.Platform{OS: "plan9"}}}, lucidbase.LinuxARM64)
	require.NoError(t, err)
	require.Equal(t, "linux/arm64", c.Platform.String())
	for _, bad := range []verify.Contract{
		{Only: []string{"shell"}},
		{Except: []string{"shell"}},
		{Waivers: []verify.Waiver{{Rule: "shell", Path: "/x"}}},
	} {
		_, err := contractOf(lucidbase.Graph{Contract: bad}, lucidbase.LinuxARM64)
		require.ErrorContains(t, err, "Contract: ")
	}
}

func TestContractError(t *testing.T) {
	err := &ContractError{Results: []Verified{{Name: "lucid/base:latest", Result: verify.Result{
		Platform: v1.Platform{OS: "linux", Architecture: "arm64"},
		Findings: []verify.Finding{{Rule: "shell", Path: "/usr/bin/sh", Found: "dash"}, {Rule: "user", Path: "config:User", Found: "root"}},
	}}}}
	require.EqualError(t, err, "lucid/base:latest linux/arm64: shell: /usr/bin/sh: dash\nlucid/base:latest linux/arm64: user: config:User: root")
}
