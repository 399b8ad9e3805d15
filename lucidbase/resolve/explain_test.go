package resolve

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/explain"
	"github.com/lucid-project/base-images/lucidbase/lock"
)

func TestExplicable(t *testing.T) {
	source := &NoWheelError{Name: "orjson", Version: "3.6.0", Targets: []string{"musllinux_1_2_x86_64"}, Needs: "Rust"}
	for _, err := range []error{
		&NoSolutionError{Said: "error: no"},
		fmt.Errorf("resolving r.txt: %w", errors.Join(source, source)),
	} {
		require.True(t, Explicable(err), err)
	}
	require.False(t, Explicable(nil))
	require.False(t, Explicable(&NoSolutionError{Said: "error: Request failed after 3 retries in 10.6s"}))
	require.False(t, Explicable(errors.New("resolving Python packages: no space left on device")))
}

// All of what a resolution found out goes to the lines that ask for it.
func TestBlame(t *testing.T) {
	p, err := explain.Read("r.txt", func(string) ([]byte, error) { return []byte("web==1\norjson==3.6.0\n"), nil }, nil)
	require.NoError(t, err)
	solved := func() *explain.Diagnosis {
		d := explain.Diagnose(p, lock.WheelTargets())
		require.Equal(t, explain.Alone, d.Jobs()[0].Kind)
		d.Take([]explain.Answer{{}})
		require.Equal(t, explain.Together, d.Jobs()[0].Kind)
		d.Take([]explain.Answer{{Via: map[string][]string{"pyo": {"mid"}, "mid": {"web"}}}})
		require.Empty(t, d.Jobs())
		return d
	}
	d := solved()
	failed := fmt.Errorf("resolving r.txt: %w", errors.Join(
		&NoWheelError{Name: "orjson", Version: "3.6.0", Targets: lock.WheelTargets()[3:], Needs: "Rust"},
		&NoWheelError{Name: "pyo", Version: "1", Targets: lock.WheelTargets(), Said: "no alsa"},
	))
	require.True(t, blame(d, failed))
	require.Equal(t, []explain.Job{
		{Kind: explain.Versions, Name: "orjson", Wanted: "3.6.0"}, {Kind: explain.Versions, Name: "pyo", Wanted: "1"},
	}, d.Jobs())
	d.Take([]explain.Answer{{Wheels: explain.Wheels{Wheels: []string{"3.8.10"}}}, {Wheels: explain.Wheels{Wheels: []string{"1.1"}}}})
	require.Equal(t, []string{"web==1", "orjson==3.8.10", "pyo==1.1"}, d.Query().Requirements)
	require.Equal(t, "r.txt: line 1: web==1: it needs pyo 1: no wheel for manylinux_2_36_x86_64, manylinux_2_36_aarch64, musllinux_1_2_x86_64, musllinux_1_2_aarch64, and no alsa; the nearest with wheels for all is 1.1", d.Findings()[0].String())
	require.Equal(t, "r.txt: line 2: orjson==3.6.0: no wheel for musllinux_1_2_aarch64, and its source needs a Rust compiler, and a build has none; the nearest with wheels for all is 3.8.10; this one can be had with --target manylinux_2_36_x86_64,manylinux_2_36_aarch64,musllinux_1_2_x86_64", d.Findings()[1].String())
	require.False(t, blame(d, failed), "the same again is no news")

	d = solved()
	require.False(t, blame(d, &NoWheelError{Name: "stranger", Version: "1", Said: "no"}))
	require.Contains(t, d.Unexplained(), "stranger 1")
	d = solved()
	require.False(t, blame(d, &NoSolutionError{Said: "error:\n  none"}))
	require.Equal(t, "error: none", d.Unexplained())
}

// Whether all goes together is asked with the lines that were corrected, which then are
// nearly always to be had.
func TestNext(t *testing.T) {
	read := func(text string) *explainer {
		p, err := explain.Read("r.txt", func(string) ([]byte, error) { return []byte(text), nil }, nil)
		require.NoError(t, err)
		return &explainer{d: explain.Diagnose(p, lock.WheelTargets())}
	}
	x := read("web==1\nlogging\n")
	jobs := x.d.Jobs()
	next := x.next(jobs)
	require.Equal(t, []explain.Job{{Kind: explain.Together, Requirements: []string{"web==1"}}}, next)
	x.d.Take([]explain.Answer{{}})
	require.Equal(t, next, x.d.Jobs(), "all can be had")
	require.Empty(t, x.next(next))

	x = read("web==1\n")
	require.Empty(t, x.next(x.d.Jobs()), "nothing is corrected: a resolution has failed")
}
