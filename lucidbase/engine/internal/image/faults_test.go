package image

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/crane"
	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/testregistry"
)

// most is how long a push of a small image may take that meets a fault.
const most = 20 * time.Second

// Whatever happens to the n-th request, once or from then on: the push ends, the tag is
// the old image or the new one, whole, and the next push needs no cleaning.
func TestLongPushFaultAtEachRequest(t *testing.T) {
	if testing.Short() {
		t.Skip("hundreds of pushes")
	}
	e := newExport(t)
	old, img := e.image("old root"), e.image("root", "python")
	for name, fault := range testregistry.Faults() {
		t.Run(name, func(t *testing.T) {
			failed, worked := 0, 0
			for n := 0; ; n++ {
				ended := false // without having met the fault
				for _, times := range []int{1, 999} {
					r := testregistry.New(t)
					to := target(t, r, old, "lucid/base:latest")
					require.NoError(t, pushAll(t.Context(), []Target{to}, nil))
					r.Reset()
					fault.Skip, fault.Times = n, times
					r.Inject(fault)
					to.Index = img.Index()
					before := time.Now()
					var w waits
					err := w.push(t, to)
					require.Less(t, time.Since(before), most)
					ended = err == nil && len(r.Requests()) <= n
					r.Reset()
					if err == nil {
						worked++
						requirePushed(t, to)
						continue
					}
					failed++
					require.ErrorContains(t, err, "pushing to "+r.Ref("lucid/base")+": ")
					require.NotContains(t, err.Error(), "\n")
					if name != "other bytes" { // no registry can know that a tag was changed on its way; the error says so
						requireOldOrNew(t, to, old, img)
					}
					require.NoError(t, pushAll(t.Context(), []Target{to}, nil), "the next time")
					requirePushed(t, to)
				}
				if ended {
					require.Positive(t, worked)
					t.Logf("%d requests, %d pushes failed, %d worked", n, failed, worked)
					return
				}
			}
		})
	}
}

// requireOldOrNew requires that a tag is one of two images, with all its parts.
func requireOldOrNew(t *testing.T, to Target, images ...*Image) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), most)
	defer cancel()
	got, err := crane.Digest(to.Tag.String(), crane.WithContext(ctx))
	require.NoError(t, err)
	for _, img := range images {
		if got == img.Digest.String() {
			requirePushed(t, Target{Index: img.Index(), Tag: to.Tag})
			return
		}
	}
	t.Errorf("the tag is %s", got)
}
