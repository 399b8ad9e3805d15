package variants_test

import (
	"context"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/moby/buildkit/client/llb"
	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/llbtext"
	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/lock"
	"github.com/lucid-project/base-images/variants"
)

var update = flag.Bool("update", false, "write the golden files")

// fixture is a small lock that never changes, so that a new lock changes no
// golden file.
func fixture(t testing.TB) *lock.Set {
	set, err := lock.ReadSet(os.DirFS("testdata/locks"))
	require.NoError(t, err)
	return set
}

func specs(locks *lock.Set) map[string]lucidbase.Spec {
	return map[string]lucidbase.Spec{
		"alpine-base": variants.Alpine{Locks: locks},
		"bare-base":   variants.Bare{Locks: locks},
		"base":        variants.Standard{Locks: locks},
		"python-base": variants.Python{Locks: locks},
		"gateway":     gateway(locks),

		"alpine-base-dev": variants.Dev{Of: variants.Alpine{Locks: locks}},
		"python-base-dev": variants.Dev{Of: variants.Python{Locks: withDev(locks)}},
	}
}

func TestGolden(t *testing.T) {
	for name, spec := range specs(fixture(t)) {
		for _, p := range lucidbase.AllPlatforms() {
			file := filepath.Join("testdata", name+"-"+p.Architecture+".golden")
			t.Run(filepath.Base(file), func(t *testing.T) {
				got := text(t, spec, lucidbase.Platforms{Target: p, Build: lucidbase.LinuxAMD64})
				if *update {
					require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
				}
				want, err := os.ReadFile(file)
				require.NoError(t, err)
				require.Equal(t, string(want), got, "the graph changed; if it was meant to, run go test ./variants -update")
			})
		}
	}
}

// text is a graph for people: its operations, its config, its inputs.
func text(t *testing.T, spec lucidbase.Spec, p lucidbase.Platforms) string {
	g, err := spec.Graph(p)
	require.NoError(t, err)
	def, err := g.State.Marshal(context.Background(), llb.Platform(p.Target), llb.LocalUniqueID("the engine's"))
	require.NoError(t, err)
	text, err := llbtext.Graph(def, g)
	require.NoError(t, err)
	return text
}

func TestSameGraphEveryTime(t *testing.T) {
	locks := fixture(t)
	for _, target := range lucidbase.AllPlatforms() {
		for _, build := range lucidbase.AllPlatforms() {
			p := lucidbase.Platforms{Target: target, Build: build}
			first := definition(t, variants.Standard{Locks: locks}, p)
			for range 25 {
				require.Equal(t, first, definition(t, variants.Standard{Locks: locks}, p))
			}
		}
	}
}

// The build platform chooses the tools, never the image's config.
func TestBuildPlatformLeavesConfigAlone(t *testing.T) {
	spec := variants.Standard{Locks: fixture(t)}
	onAMD64, err := spec.Graph(lucidbase.Platforms{Target: lucidbase.LinuxARM64, Build: lucidbase.LinuxAMD64})
	require.NoError(t, err)
	onARM64, err := spec.Graph(lucidbase.Platforms{Target: lucidbase.LinuxARM64, Build: lucidbase.LinuxARM64})
	require.NoError(t, err)
	require.Equal(t, onAMD64.Config, onARM64.Config)
}

func definition(t *testing.T, spec lucidbase.Spec, p lucidbase.Platforms) [][]byte {
	g, err := spec.Graph(p)
	require.NoError(t, err)
	def, err := g.State.Marshal(context.Background(), llb.Platform(p.Target))
	require.NoError(t, err)
	config, err := json.Marshal(g.Config)
	require.NoError(t, err)
	return append(def.Def, config)
}
