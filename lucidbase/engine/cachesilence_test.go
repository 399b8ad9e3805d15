package engine

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/moby/buildkit/client"
	"github.com/opencontainers/go-digest"
	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/lock"
)

// What is silent for too long ends a solve, and nothing else does.
func TestSilence(t *testing.T) {
	const limit = 20 * time.Second
	now, step := time.Now(), digest.FromString("step")
	layer := func(id string, current int64, completed *time.Time) *client.SolveStatus {
		return &client.SolveStatus{Statuses: []*client.VertexStatus{{ID: id, Vertex: step, Total: 100, Current: current, Completed: completed}}}
	}
	vertex := func(name string, completed *time.Time) *client.SolveStatus {
		return &client.SolveStatus{Vertexes: []*client.Vertex{{Digest: step, Name: name, Started: &now, Completed: completed}}}
	}
	for name, c := range map[string]struct {
		said []*client.SolveStatus // one after half of the limit each
		want error
	}{
		"list":                    {[]*client.SolveStatus{vertex(importing+"r.example/cache", nil)}, ErrSilentCache},
		"list that came":          {[]*client.SolveStatus{vertex(importing+"r.example/cache", nil), vertex(importing+"r.example/cache", &now)}, nil},
		"a step that says little": {[]*client.SolveStatus{vertex("compile", nil)}, nil},
		"layer":                   {[]*client.SolveStatus{layer("sha256:a", 0, nil), layer("sha256:a", 0, nil)}, errSilentLayer},
		"layer that came":         {[]*client.SolveStatus{layer("sha256:a", 0, nil), layer("sha256:a", 50, nil), layer("sha256:a", 99, nil), layer("sha256:a", 100, &now)}, nil},
		"layer of a step's end":   {[]*client.SolveStatus{layer("sha256:a", 0, nil), vertex("merge", &now)}, nil},
		"layer that waits":        {[]*client.SolveStatus{layer("sha256:a", 0, nil), layer("sha256:b", 10, nil), layer("sha256:b", 20, nil), layer("sha256:b", 100, &now), layer("sha256:a", 100, &now)}, nil},
		"layer of this program":   {[]*client.SolveStatus{layer("sha256:ours", 0, nil)}, nil},
		"layer of an image":       {[]*client.SolveStatus{layer("writing layer sha256:a", 0, nil)}, nil},
		"layer not taken":         {[]*client.SolveStatus{vertex(writingCache+"registry", nil), layer("writing layer sha256:a", 0, nil)}, errSilentWrite},
		"layer taken":             {[]*client.SolveStatus{vertex(writingCache+"registry", nil), layer("writing layer sha256:a", 0, nil), layer("writing layer sha256:a", 0, &now)}, nil},
		"layer in a directory":    {[]*client.SolveStatus{vertex(writingCache+"client directory", nil), layer("writing layer sha256:a", 0, nil)}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, end := context.WithCancelCause(t.Context())
				defer end(nil)
				e := &Engine{options: options{registryTimeout: limit / 2}}
				s := e.watchCaches(graph{inputs: []lucidbase.Input{{Layer: lock.Layer{Digest: "sha256:ours"}}}}, &node{}, client.SolveOpt{CacheImports: []client.CacheOptionsEntry{{}}}, end)
				for _, status := range c.said {
					s.note(status)
					time.Sleep(limit * 6 / 10)
				}
				time.Sleep(12 * limit)
				require.Equal(t, c.want, context.Cause(ctx))
				s.stop()
			})
		})
	}
	caches := client.SolveOpt{CacheImports: []client.CacheOptionsEntry{{}}}
	require.Nil(t, (&Engine{}).watchCaches(graph{}, &node{embedded: true}, caches, nil), "it has patience of its own")
	(*silence)(nil).note(layer("sha256:a", 0, nil)) // no cache, nothing to hear
}
