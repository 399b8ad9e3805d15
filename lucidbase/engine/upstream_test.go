package engine

import (
	"sync/atomic"
	"testing"

	"github.com/moby/buildkit/client/llb"
	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase"
)

// A graph is made once for each platform, however often it is asked for.
func TestResolveMakesEachGraphOnce(t *testing.T) {
	var made atomic.Int32
	spec := lucidbase.SpecFunc(func(lucidbase.Platforms) (lucidbase.Graph, error) {
		made.Add(1)
		return lucidbase.Graph{State: llb.Scratch().File(llb.Mkdir("/x", 0o755))}, nil
	})
	e := &Engine{nodes: []*node{{platform: lucidbase.LinuxAMD64}}}
	resolved, err := e.Resolve(t.Context(), spec, nil)
	require.NoError(t, err)
	require.EqualValues(t, 2, made.Load())
	_, err = e.graphs(t.Context(), Job{Spec: resolved, Platforms: lucidbase.AllPlatforms()})
	require.NoError(t, err)
	_, err = e.Resolve(t.Context(), resolved, nil)
	require.NoError(t, err)
	require.EqualValues(t, 2, made.Load())

	arm := &Engine{nodes: []*node{{platform: lucidbase.LinuxARM64}}}
	_, err = arm.graphs(t.Context(), Job{Spec: resolved, Platforms: lucidbase.AllPlatforms()})
	require.NoError(t, err)
	require.EqualValues(t, 4, made.Load(), "graphs for another builder are others")
}
