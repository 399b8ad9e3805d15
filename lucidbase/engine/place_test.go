package engine

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/moby/buildkit/client"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase"
)

// mortal is a BuildKit that can be gone, or silent.
type mortal struct {
	fakeBuildKit
	gone, silent atomic.Bool
}

func (m *mortal) ListWorkers(ctx context.Context, opts ...client.ListWorkersOption) ([]*client.WorkerInfo, error) {
	if m.silent.Load() {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	if m.gone.Load() {
		return nil, errors.New("connection refused")
	}
	return m.fakeBuildKit.ListWorkers(ctx, opts...)
}

// named is a node of it.
func (m *mortal) named(name string, platform ocispecs.Platform) *node {
	return &node{name: name, platform: platform, slots: make(chan struct{}, maxSolves), open: func(context.Context) (*connection, error) {
		return &connection{client: m}, nil
	}}
}

// What a node that is lost had to do is done by others, also by one of another platform,
// and the image is the same.
func TestLostNode(t *testing.T) {
	pause, limit := watchPause, watchTime
	watchPause, watchTime = 10*time.Millisecond, 50*time.Millisecond
	t.Cleanup(func() { watchPause, watchTime = pause, limit })
	var r recorder
	var jobs []Job
	for i := range 6 {
		jobs = append(jobs, Job{Spec: files("one", fmt.Sprint(i)), To: r.to(fmt.Sprintf("lucid/%d", i))})
	}
	want, err := newEngine(t, (&mortal{}).named("one", lucidbase.LinuxAMD64)).BuildAll(t.Context(), jobs)
	require.NoError(t, err)
	for _, how := range []string{"gone", "silent"} {
		for _, other := range lucidbase.AllPlatforms() {
			t.Run(how+" "+lucidbase.FormatPlatform(other), func(t *testing.T) {
				dying, living := &mortal{}, &mortal{}
				dying.before = func(ctx context.Context, _ string) error {
					dying.gone.Store(how == "gone")
					dying.silent.Store(how == "silent")
					if how == "gone" {
						return errors.New("error reading from server: EOF")
					}
					<-ctx.Done()
					return ctx.Err()
				}
				e := newEngine(t, dying.named("dying", lucidbase.LinuxAMD64), living.named("living", other))
				got, err := e.BuildAll(t.Context(), jobs)
				require.NoError(t, err)
				for i := range want {
					require.Equal(t, want[i].Digest, got[i].Digest)
				}
				require.Empty(t, dying.solved)
				require.Len(t, living.solved, 12)
				for _, n := range e.nodes {
					require.Zero(t, n.assigned, n.name)
				}
				// It may be back.
				dying.gone.Store(false)
				dying.silent.Store(false)
				dying.before = nil
				jobs[0].NoCache = true
				defer func() { jobs[0].NoCache = false }()
				_, err = e.BuildAll(t.Context(), jobs)
				require.NoError(t, err)
			})
		}
	}
}

// With no node left, the error names the one that was lost last.
func TestAllNodesLost(t *testing.T) {
	var r recorder
	a, b := &mortal{}, &mortal{}
	for _, m := range []*mortal{a, b} {
		m.before = func(context.Context, string) error {
			m.gone.Store(true)
			return errors.New("error reading from server: EOF")
		}
	}
	e := newEngine(t, a.named("a", lucidbase.LinuxAMD64), b.named("b", lucidbase.LinuxAMD64))
	_, err := e.Build(t.Context(), Job{Spec: files("one"), To: r.to("lucid/a")})
	require.ErrorContains(t, err, "was lost in the middle of the build: connection refused")
}

// A step that fails is no reason to ask another node.
func TestFailureIsNoLoss(t *testing.T) {
	var r recorder
	a, b := &mortal{}, &mortal{}
	failing := func(context.Context, string) error { return errors.New("the step does not work") }
	a.before, b.before = failing, failing
	e := newEngine(t, a.named("a", lucidbase.LinuxAMD64), b.named("b", lucidbase.LinuxAMD64))
	_, err := e.Build(t.Context(), Job{Spec: files("one"), Platforms: lucidbase.AllPlatforms()[:1], To: r.to("lucid/a")})
	require.ErrorContains(t, err, "the step does not work")
	for _, n := range e.nodes {
		require.NoError(t, n.lost)
	}
}

// Images are spread evenly, each platform where it is native, and the same way each time.
func TestPlace(t *testing.T) {
	amd, arm := lucidbase.LinuxAMD64, lucidbase.LinuxARM64
	var nodes []*node
	for i := range 10 {
		p := amd
		if i >= 7 {
			p = arm
		}
		nodes = append(nodes, &node{name: fmt.Sprint("node ", i), platform: p})
	}
	var jobs []Job
	var graphs [][]graph
	var made []int
	for i := range 1000 {
		jobs = append(jobs, Job{To: Destination{Name: fmt.Sprintf("lucid/%d:v1", i)}})
		graphs = append(graphs, []graph{{platform: amd, build: amd}, {platform: arm, build: arm}})
		made = append(made, i)
	}
	place := func() (names [][]string) {
		for _, n := range nodes {
			n.assigned = 0
		}
		for _, placed := range (&Engine{nodes: nodes}).place(made, jobs, graphs) {
			names = append(names, []string{placed[0].name, placed[1].name})
			require.Equal(t, amd, placed[0].platform)
			require.Equal(t, arm, placed[1].platform)
		}
		return names
	}
	first := place()
	for _, n := range nodes {
		share := 1000 / 7
		if n.platform.Architecture == "arm64" {
			share = 1000 / 3
		}
		require.InDelta(t, share, n.assigned, 1, n.name)
	}
	require.Equal(t, first, place())
	// Another version of the images, one more of them, goes where the last one did.
	for i := range jobs {
		jobs[i].To.Name = fmt.Sprintf("lucid/%d:v2", i)
	}
	moved := 0
	for i, names := range place() {
		if names[0] != first[i][0] {
			moved++
		}
	}
	require.Zero(t, moved)
	nodes[3].lost = errors.New("gone")
	for i, names := range place() {
		require.NotEqual(t, "node 3", names[0])
		if names[0] != first[i][0] {
			moved++
		}
	}
	require.Less(t, moved, 400, "most stay where they are")
}
