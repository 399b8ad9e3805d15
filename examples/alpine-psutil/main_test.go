//go:build linux

package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/alpinetest"
	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/engine"
	"github.com/lucid-project/base-images/lucidbase/lock"
)

// The image is built for both CPUs, with psutil compiled for each.
func TestAlpinePsutil(t *testing.T) {
	if os.Geteuid() != 0 || testing.Short() {
		if os.Getenv("LUCID_REQUIRE_ENGINE") == "1" {
			require.FailNow(t, "needs root")
		}
		t.Skip("builds an image as root")
	}
	im, mirrors := alpinetest.Image(t)
	spec, err := image()
	require.NoError(t, err)
	own, err := lock.Default()
	require.NoError(t, err)
	set := *own
	set.Alpine = im
	spec.Locks = &set
	eng, err := engine.Open(t.Context(), "", engine.WithCacheDir(t.TempDir()), engine.WithImageMirrors(mirrors...),
		engine.WithProgress(os.Stderr), engine.WithProgressMode("plain"))
	require.NoError(t, err)
	defer func() { require.NoError(t, eng.Close()) }()
	res, err := eng.Build(t.Context(), engine.Job{Spec: spec, To: engine.Layout(filepath.Join(t.TempDir(), "dist"), "lucid/alpine-psutil:latest")})
	require.NoError(t, err)
	require.Len(t, res.Platforms, len(lucidbase.AllPlatforms()))
}
