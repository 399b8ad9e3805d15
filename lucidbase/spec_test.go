package lucidbase_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/verify"
)

// What an image is excused from is in its labels, for people to read.
func TestImageConfig(t *testing.T) {
	g := lucidbase.Graph{}
	g.Config.Config.Labels = map[string]string{"a": "b"}
	require.Equal(t, g.Config, g.ImageConfig())
	g.Contract.Waivers = []verify.Waiver{
		{Rule: "shell", Path: "/usr/bin/sh", Reason: "the vendor's start script"},
		{Rule: "cache", Path: "/x", Reason: "y"},
	}
	got := g.ImageConfig().Config.Labels
	require.Equal(t, map[string]string{
		"a": "b", lucidbase.WaiversLabel: "cache:/x=y\nshell:/usr/bin/sh=the vendor's start script",
	}, got)
	require.Equal(t, map[string]string{"a": "b"}, g.Config.Config.Labels, "the graph's own stay")
}
