package alpine

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/debtest"
	"github.com/lucid-project/base-images/internal/patient"
	"github.com/lucid-project/base-images/internal/testregistry"
)

// Whatever happens to the n-th request, once or from then on: what is found out is right
// or nothing is, nothing wrong is kept, and the next time needs no cleaning.
func TestPullFaultAtEachRequest(t *testing.T) {
	pullWithFaults(t, "other bytes", "a page")
}

// After most of the others the registry's client takes breath, or time has to pass.
func TestLongPullFaultAtEachRequest(t *testing.T) {
	if testing.Short() {
		t.Skip("minutes, most of them asleep")
	}
	pullWithFaults(t, "a login", "circles", "forbidden", "server error", "no gateway", "busy", "busy, no time", "cut", "another length", "not found", "stall", "silence")
}

func pullWithFaults(t *testing.T, kinds ...string) {
	t.Helper()
	u := newUpstream(t)
	want, err := u.resolve(t, u.Registries)
	require.NoError(t, err)
	for _, name := range kinds {
		fault, ok := testregistry.Faults()[name]
		require.True(t, ok, name)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u, worked := newUpstream(t), 0
			// Its own registry is not asked in a test.
			u.image.Reference = "docker.io.invalid/library/python:3.11-alpine3.23"
			for n, ended := 0, false; !ended; n++ {
				for _, times := range []int{1, 999} {
					m := u.newRegistries(t)
					m.Mirrors = map[string][]string{"docker.io.invalid": m.Mirrors["docker.io"]}
					m.Transport = impatient(fault)
					fault.Skip, fault.Times = n, times
					u.registry.Reset()
					u.registry.Inject(fault)
					got, err := u.resolve(t, m)
					ended = len(u.registry.Requests()) <= n
					u.registry.Reset()
					debtest.RequireCached(t, m.Cache)
					if err == nil {
						require.Equal(t, want, got)
						worked++
						continue
					}
					require.ErrorIs(t, err, ErrNoImage)
					require.NotContains(t, err.Error(), "\n")
					got, err = u.resolve(t, &Registries{Cache: m.Cache, Mirrors: m.Mirrors, Archives: m.Archives})
					require.NoError(t, err, "the next time")
					require.Equal(t, want, got)
				}
			}
			require.Positive(t, worked)
		})
	}
}

// impatient waits for nobody who falls silent or is busy.
func impatient(fault testregistry.Fault) http.RoundTripper {
	var timeout time.Duration // as usual: the machine may be busy
	if fault.Stall || fault.Delay > 0 {
		timeout = 200 * time.Millisecond
	}
	transport := patient.New(remote.DefaultTransport.(*http.Transport), timeout)
	transport.Wait = func(context.Context, time.Duration, string) error { return nil }
	return transport
}
