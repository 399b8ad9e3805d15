package variants_test

import (
	"testing"

	"github.com/moby/buildkit/client/llb"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/lock"
	"github.com/lucid-project/base-images/variants"
)

// Services that stand on one foundation, made at once and more than it serves, are what
// each is by itself.
func TestSharedFoundation(t *testing.T) {
	locks, err := lock.Default()
	require.NoError(t, err)
	own := *locks // whose foundation nobody shares
	alone, shared := gateway(&own), gateway(locks)
	shared.Base = variants.Python{Version: "base", Env: map[string]string{"TEAM": "core", "LOG_LEVEL": "info"}, Labels: map[string]string{"team": "core"}}
	other := variants.Service{Name: "other", Base: variants.Standard{}, Command: []string{"python"}}
	const graphs = 60
	for _, target := range lucidbase.AllPlatforms() {
		p := lucidbase.Platforms{Target: target, Build: lucidbase.LinuxAMD64}
		marshal := func(s lucidbase.Spec) ([][]byte, error) {
			g, err := s.Graph(p)
			if err != nil {
				return nil, err
			}
			def, err := g.State.Marshal(t.Context(), llb.Platform(target), llb.LocalUniqueID("the engine's"))
			if err != nil {
				return nil, err
			}
			return def.Def, nil
		}
		want, err := marshal(alone)
		require.NoError(t, err)
		got := make([][][]byte, graphs)
		var eg errgroup.Group
		for i := range got {
			eg.Go(func() (err error) {
				if _, err = marshal(other); err == nil {
					got[i], err = marshal(shared)
				}
				return err
			})
		}
		require.NoError(t, eg.Wait())
		for _, one := range got {
			require.Equal(t, want, one)
		}
	}
}
