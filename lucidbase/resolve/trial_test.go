package resolve

import (
	"context"
	"errors"
	"testing"

	"github.com/moby/buildkit/client/llb"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/lock"
)

// compiles is an engine whose steps end in the next of its errors.
type compiles struct {
	errs   []error
	solves int
}

func (*compiles) Platform() ocispecs.Platform { return lucidbase.LinuxAMD64 }

func (c *compiles) ReadFiles(context.Context, llb.State, []lucidbase.Input, []string) (map[string][]byte, error) {
	c.solves++
	return nil, c.errs[c.solves-1]
}

func (*compiles) Prepare(context.Context, []lucidbase.Input) error { return nil }

func TestTry(t *testing.T) {
	set, err := lock.Default()
	require.NoError(t, err)
	all := lock.WheelTargets()
	source := func(name string, targets ...string) lock.Requirement {
		return lock.Requirement{Name: name, Version: "1", Sdist: &lock.Sdist{SHA256: hashA, Targets: targets}}
	}
	sources := packages(lock.Requirement{Name: "wheel", Version: "1"}, source("pure", lock.AnyTarget), source("alpine", musl...), source("good", all...), source("bad", all[1:]...))

	engine := &compiles{errs: []error{nil, errors.New("building compile bad 1 for " + all[1] + ": error: bad 1 for " + all[1] + ": b.c:1:2: error: no (log: /l)")}}
	err = Try(t.Context(), engine, set, sources)
	require.EqualError(t, err, "bad 1: no wheel for manylinux_2_36_aarch64, musllinux_1_2_x86_64, musllinux_1_2_aarch64, "+
		"and its source cannot be compiled: b.c:1:2: error: no (log: /l)")
	require.True(t, Explicable(err))
	require.Equal(t, 2, engine.solves, "what is pure or for Alpine alone is not tried")

	down := errors.New("building fetch the source of good 1: no answer")
	err = Try(t.Context(), &compiles{errs: []error{down}}, set, sources)
	require.Equal(t, down, err, "no fault of the source")
	require.False(t, Explicable(err))

	ended, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, Try(ended, &compiles{errs: []error{down}}, set, sources), context.Canceled)
}
