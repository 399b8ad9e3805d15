package engine_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/dockertest"
	"github.com/lucid-project/base-images/internal/testregistry"
	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/engine"
)

// cacheMachine is a registry with a cache, of which machines without state build.
type cacheMachine struct {
	*testregistry.Registry
	want string
}

func newCacheMachine(t *testing.T) *cacheMachine {
	t.Helper()
	m := &cacheMachine{Registry: testregistry.New(t)}
	digest, _, err := m.build(t, "write", engine.WithCacheTo("type=registry,ref="+m.Ref("lucid/cache")+",mode=max"))
	require.NoError(t, err)
	m.want = digest
	return m
}

// build builds with the BuildKit in this program.
func (m *cacheMachine) build(t *testing.T, last string, opts ...engine.Option) (digest, said string, err error) {
	t.Helper()
	return m.buildOn(t, "embedded", last, opts...)
}

func (m *cacheMachine) buildOn(t *testing.T, address, last string, opts ...engine.Option) (digest, said string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	log := &buffer{}
	opts = append(opts, engine.WithCacheDir(t.TempDir()), engine.WithProgress(log), engine.WithProgressMode("plain"))
	eng, err := engine.Open(ctx, address, opts...)
	require.NoError(t, err)
	defer func() { require.NoError(t, eng.Close()) }()
	spec := ran(t, [2]string{"write", "first"}, [2]string{last, "second"})
	res, err := eng.Build(ctx, engine.Job{Spec: spec, Platforms: []ocispecs.Platform{lucidbase.LinuxAMD64}, To: engine.Keep("lucid/conform")})
	if err != nil {
		return "", log.String(), err
	}
	return res.Digest, log.String(), nil
}

// meet builds with a fault of the cache's registry. It is no reason to fail.
func (m *cacheMachine) meet(t *testing.T, fault testregistry.Fault) (said string, requests int) {
	t.Helper()
	m.Reset()
	m.Inject(fault)
	got, said, err := m.build(t, "write", engine.WithCacheFrom(m.Ref("lucid/cache")))
	requests = len(m.Requests())
	m.Reset()
	require.NoError(t, err, said)
	require.Equal(t, m.want, got)
	return said, requests
}

// What a cache promises and does not hold is made here, and what a step says of its own
// failure is not taken for a fault of the cache.
func TestCacheThatLostItsLayers(t *testing.T) {
	requireEngine(t)
	m := newCacheMachine(t)
	lost := testregistry.Faults()["not found"]
	lost.Path, lost.Skip, lost.Times = "/blobs/", 1, 999
	said, _ := m.meet(t, lost)
	require.Contains(t, said, "building without the caches to take steps from: ")
	require.Contains(t, said, "writing second")

	_, said, err := m.build(t, "fail", engine.WithCacheFrom(m.Ref("lucid/nothing")))
	require.EqualError(t, err, "building fail second: ERROR: second")
	require.NotContains(t, said, "building without")
}

// A BuildKit elsewhere would wait for ever for a registry that falls silent.
func TestLongSilentCacheElsewhere(t *testing.T) {
	requireEngine(t)
	from := func(ref string) engine.Option { return engine.WithCacheFrom(ref) }
	to := func(ref string) engine.Option { return engine.WithCacheTo("type=registry,ref=" + ref + "-2,mode=max") }
	for name, c := range map[string]struct {
		fault testregistry.Fault
		cache func(ref string) engine.Option
		want  string // an error; "" means that it goes on without
	}{
		"layer":          {testregistry.Fault{Path: "/blobs/", Skip: 1, Stall: true}, from, ""},
		"list":           {testregistry.Fault{Path: "/manifests/", Delay: time.Hour}, from, engine.ErrSilentCache.Error()},
		"layer to write": {testregistry.Fault{Method: http.MethodPut, Stall: true}, to, "the registry gives no answer"},
		"upload to open": {testregistry.Fault{Method: http.MethodPost, Delay: time.Hour}, to, "the registry gives no answer"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // they wait, most of the time
			m := newCacheMachine(t)
			c.fault.Times = 999
			m.Inject(c.fault)
			d := dockertest.Buildkitd{}.Start(t)
			got, said, err := m.buildOn(t, d.Host, "write", c.cache(m.Ref("lucid/cache")), engine.WithRegistryTimeout(time.Second))
			if c.want != "" {
				require.ErrorContains(t, err, c.want, said)
				return
			}
			require.NoError(t, err, said)
			require.Equal(t, m.want, got)
			require.Contains(t, said, "building without the caches to take steps from: the cache's registry sends nothing more of a layer")
		})
	}
}

// Whatever happens to the n-th request and all after it: the image is the same.
func TestLongCacheFaultAtEachRequest(t *testing.T) {
	requireEngine(t)
	faults := testregistry.Faults()
	delete(faults, "busy")    // two minutes, as package patient has it
	delete(faults, "silence") // longer than a stall, and no other
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // they wait, most of the time
			m := newCacheMachine(t)
			fault.Times = 999
			for n := 0; ; n++ {
				fault.Skip = n
				if slow[name] {
					fault.Path, fault.Skip = "/blobs/", 1
				}
				if _, requests := m.meet(t, fault); requests <= n || slow[name] {
					return
				}
			}
		})
	}
}

// slow are the faults after which BuildKit waits and asks again: one request is enough.
var slow = map[string]bool{"server error": true, "no gateway": true, "cut": true, "stall": true, "another length": true}
