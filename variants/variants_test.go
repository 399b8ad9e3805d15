package variants_test

import (
	"context"
	"testing"

	"github.com/moby/buildkit/client/llb"
	"github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/lock"
	"github.com/lucid-project/base-images/variants"
)

var onAMD64 = lucidbase.Platforms{Target: lucidbase.LinuxAMD64, Build: lucidbase.LinuxAMD64}

func TestZeroValueBuilds(t *testing.T) {
	for _, spec := range []lucidbase.Spec{variants.Python{}, variants.Standard{}} {
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
	require.Equal(t, fixture(t).Digest(lock.Python, nil), c.Labels[variants.LockDigestLabel])
	require.NotContains(t, c.Labels, ocispecs.AnnotationBaseImageName)
	require.NotContains(t, c.Labels, ocispecs.AnnotationBaseImageDigest)

	require.Len(t, g.Config.History, 4, "root filesystem, bytecode, minimal and python tiers")
	for _, h := range g.Config.History {
		require.Equal(t, lucidbase.Epoch(), *h.Created)
		require.False(t, h.EmptyLayer)
	}
}

func TestPackagesAreALayerOfTheirOwn(t *testing.T) {
	locks := fixture(t)
	extra := lock.Requirements{{Name: "itsdangerous", Version: "2.2.0", Hashes: locks.Python[lock.Minimal][0].Hashes}}
	plain, err := variants.Python{Locks: locks}.Graph(onAMD64)
	require.NoError(t, err)
	more, err := variants.Python{Locks: locks, Packages: extra}.Graph(onAMD64)
	require.NoError(t, err)
	require.Len(t, more.Config.History, len(plain.Config.History)+1)
}

func TestWrongFieldsAreReportedAtOnce(t *testing.T) {
	locks := fixture(t)
	_, err := variants.Python{
		Locks:    locks,
		Env:      map[string]string{"1BAD": "x", "GOOD": "a\x00b"},
		Labels:   map[string]string{"": "x"},
		Packages: lock.Requirements{{Name: "unhashed", Version: "1"}, {Name: "Twice", Version: "1", Hashes: []string{"sha256:x"}}, {Name: "twice", Version: "1", Hashes: []string{"sha256:x"}}},
	}.Graph(lucidbase.Platforms{Target: lucidbase.LinuxAMD64})
	for _, field := range []string{"1BAD", "GOOD", "Labels", "unhashed", "twice: listed twice", "Platforms.Build"} {
		require.ErrorContains(t, err, field)
	}
	_, err = variants.Debian{Options: variants.Options{Locks: locks}}.Graph(onAMD64)
	require.ErrorContains(t, err, "Name")
	require.ErrorContains(t, err, "Tier")
}

// A tier's own packages are the layer above the tier below; both images share
// all layers but the last.
func TestStandardStandsOnPython(t *testing.T) {
	python := specText(t, variants.Python{Locks: fixture(t)})
	standard := specText(t, variants.Standard{Locks: fixture(t)})
	require.Subset(t, standard, python)
	require.Greater(t, len(standard), len(python))
}

// specText lists the texts of a graph's steps.
func specText(t *testing.T, spec lucidbase.Spec) []string {
	g, err := spec.Graph(onAMD64)
	require.NoError(t, err)
	def, err := g.State.Marshal(context.Background(), llb.Platform(onAMD64.Target))
	require.NoError(t, err)
	var digests []string
	for _, op := range def.Def[:len(def.Def)-1] {
		digests = append(digests, digest.FromBytes(op).String())
	}
	return digests
}
