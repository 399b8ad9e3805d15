package variants_test

import (
	"testing"

	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/lock"
	"github.com/lucid-project/base-images/variants"
)

var onAMD64 = lucidbase.Platforms{Target: lucidbase.LinuxAMD64, Build: lucidbase.LinuxAMD64}

func TestZeroValueBuilds(t *testing.T) {
	for _, spec := range []lucidbase.Spec{variants.Bare{}, variants.Python{}, variants.Standard{}} {
		for _, target := range lucidbase.AllPlatforms() {
			_, err := spec.Graph(lucidbase.Platforms{Target: target, Build: lucidbase.LinuxARM64})
			require.NoError(t, err)
		}
	}
}

func TestConfig(t *testing.T) {
	g, err := variants.Python{
		Locks:   fixture(t),
		Version: "v1.2.3",
		Env:     map[string]string{"SERVICE_NAME": "gateway", "LANG": "de_DE.UTF-8"},
		Labels:  map[string]string{"team": "core"},
	}.Graph(onAMD64)
	require.NoError(t, err)

	c := g.Config.Config
	require.Equal(t, "65532:65532", c.User)
	require.Equal(t, "/app", c.WorkingDir)
	require.Equal(t, []string{"/usr/bin/tini", "--"}, c.Entrypoint)
	require.Equal(t, []string{"python"}, c.Cmd)
	require.Contains(t, c.Env, "SERVICE_NAME=gateway")
	require.Contains(t, c.Env, "LANG=de_DE.UTF-8", "the user's value wins")
	require.NotContains(t, c.Env, "LANG=C.UTF-8")
	require.Equal(t, "core", c.Labels["team"])
	require.Equal(t, "v1.2.3", c.Labels[ocispecs.AnnotationVersion])
	require.Equal(t, fixture(t).Digest(lock.Python, lock.Packages{}), c.Labels[variants.LockDigestLabel])
	require.NotContains(t, c.Labels, ocispecs.AnnotationBaseImageName)
	require.NotContains(t, c.Labels, ocispecs.AnnotationBaseImageDigest)

	var history []string
	for _, h := range g.Config.History {
		history = append(history, h.CreatedBy)
		require.Equal(t, lucidbase.Epoch(), *h.Created)
		require.False(t, h.EmptyLayer)
	}
	require.Equal(t, []string{
		"lucidbase: Debian 12 packages",
		"lucidbase: bytecode of the standard library, /opt/venv",
		"lucidbase: pymongo 4.15.0",
		"lucidbase: idna 3.10",
		"lucidbase: markupsafe 3.0.0",
		"lucidbase: pydantic-core 2.41.0",
		"lucidbase: fastapi 0.100.0",
	}, history)
}

func TestWrongFieldsAreReportedAtOnce(t *testing.T) {
	locks := fixture(t)
	_, err := variants.Python{
		Locks:    locks,
		Env:      map[string]string{"1BAD": "x", "GOOD": "a\x00b"},
		Labels:   map[string]string{"": "x"},
		Packages: lock.Packages{Requirements: lock.Requirements{{Name: "unhashed", Version: "1"}, {Name: "twice", Version: "1"}, {Name: "twice", Version: "1"}}},
	}.Graph(lucidbase.Platforms{Target: lucidbase.LinuxAMD64})
	for _, field := range []string{"1BAD", "GOOD", "Labels", "unhashed", "twice 1: listed twice", "Platforms.Build"} {
		require.ErrorContains(t, err, field)
	}
	_, err = variants.Debian{Options: variants.Options{Locks: locks}}.Graph(onAMD64)
	require.ErrorContains(t, err, "Name")
	require.ErrorContains(t, err, "Tier")
}
