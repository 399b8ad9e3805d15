package debian

import (
	"io"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/debtest"
	"github.com/lucid-project/base-images/internal/supply"
	"github.com/lucid-project/base-images/internal/testregistry"
)

// Whatever happens to the first or the last request, once or from then on: the layer is the right one
// or there is none, nothing wrong is kept, and the next time needs no cleaning.
func TestMirrorFaults(t *testing.T) {
	warm := t.TempDir()
	in := input(t, warm, supply.Rootfs, base())
	want, err := (&Archives{Cache: warm}).Layer(t.Context(), in, io.Discard)
	require.NoError(t, err)
	files := map[string]string{}
	for _, p := range in.Layer.Packages {
		files["/"+p.Archive+"/"+p.Path] = filepath.Join(warm, "sha256", p.SHA256)
	}
	for name, fault := range testregistry.Faults() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mirror := testregistry.Before(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if files[r.URL.Path] == "" {
					http.NotFound(w, r)
					return
				}
				http.ServeFile(w, r, files[r.URL.Path])
			}))
			for _, n := range []int{0, len(files) - 1} {
				for _, times := range []int{1, 999} {
					fault.Skip, fault.Times = n, times
					mirror.Inject(fault)
					a := &Archives{Cache: t.TempDir(), Mirrors: map[string][]string{
						mainArchive: {"http://" + mirror.Host + "/debian"}, securityArchive: {"http://" + mirror.Host + "/debian-security"},
					}}
					if fault.Stall || fault.Delay > 0 {
						a.stall = 200 * time.Millisecond
					}
					got, err := a.Layer(t.Context(), in, io.Discard)
					mirror.Reset()
					debtest.RequireCached(t, a.Cache)
					if err == nil {
						require.Equal(t, want.Digest, got.Digest)
						require.Equal(t, 1, times)
						continue
					}
					require.False(t, times == 1 && passes[name], "%v: it is asked once more", err)
					require.ErrorContains(t, err, "http://"+mirror.Host+"/debian")
					require.NotContains(t, err.Error(), "\n")
					a.stall = 0
					got, err = a.Layer(t.Context(), in, io.Discard)
					require.NoError(t, err, "the next time")
					require.Equal(t, want.Digest, got.Digest)
				}
			}
		})
	}
}

// passes are the faults that a second request may not meet.
var passes = map[string]bool{"server error": true, "no gateway": true, "busy": true, "busy, no time": true, "cut": true}
