package embedded

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Whatever is killed at whatever point of a build: nothing is left running or
// mounted, and the next build needs no cleaning and has the same result. All
// builds share one state, so each stands on what the kills before it left.
func TestKillAtAnyPoint(t *testing.T) {
	requireEngine(t)
	points := 20
	if testing.Short() {
		points = 3
	}
	dir, f := t.TempDir(), newFixture(t)
	want, err := build(t.Context(), open(t, t.TempDir()), f, modes(f), nil)
	require.NoError(t, err)
	for number, whom := range []string{"program", "BuildKit"} {
		t.Run(whom, func(t *testing.T) {
			r, hit := rand.New(rand.NewPCG(uint64(number), 1)), 0
			took := 500 * time.Millisecond
			for i := range points {
				j := job{StateDir: dir, Fixture: f, Do: "modes", Mark: fmt.Sprintf("%s-%s-%d", filepath.Base(dir), whom, i)}
				after := time.Duration(r.Int64N(int64(took)))
				victim := startJob(t, j, nil)
				if i%2 > 0 { // the others are killed while BuildKit starts, too
					victim.expect(t, "open")
				}
				time.Sleep(after)
				running := buildKits(t, dir)
				if whom == "program" {
					require.NoError(t, victim.Process.Kill())
				}
				for _, pid := range running {
					if whom == "BuildKit" {
						_ = syscall.Kill(pid, syscall.SIGKILL) // or it has just ended
					}
					hit++
				}
				require.NoError(t, victim.stdin.Close())
				_ = victim.Wait()
				t.Logf("killed after %s of %s: %v", after, took, running)
				requireAllGone(t, dir, j.Mark)
				start := time.Now()
				require.Equal(t, want.Layers, runJob(t, j).Layers, "after %s", after)
				took = time.Since(start) // so, about, the next one will
				requireAllGone(t, dir, j.Mark)
				require.Empty(t, cgroups(filepath.Join(dir, "uid-0")))
			}
			require.GreaterOrEqual(t, hit, points/2, "BuildKit did not run yet at the other points")
		})
	}
}

// A program that is killed takes nothing from another that builds the same at the
// same time, which waits for steps that the first began.
func TestOneOfTwoIsKilled(t *testing.T) {
	requireEngine(t)
	points := 10
	if testing.Short() {
		points = 3
	}
	dir, f := t.TempDir(), newFixture(t)
	want, err := build(t.Context(), open(t, t.TempDir()), f, modes(f), nil)
	require.NoError(t, err)
	r := rand.New(rand.NewPCG(7, 1))
	for i := range points {
		stateDir := filepath.Join(dir, fmt.Sprint(i)) // the image is fetched anew, too
		keep := open(t, stateDir)
		j := job{StateDir: stateDir, Fixture: f, Do: "modes", Mark: filepath.Base(dir)}
		victim := startJob(t, j, nil)
		j.Fixture = f.copy(t)
		other := startJob(t, j, nil)
		after := time.Duration(r.Int64N(int64(400 * time.Millisecond)))
		time.Sleep(after)
		require.NoError(t, victim.Process.Kill())
		_ = victim.Wait()
		require.Equal(t, want.Layers, other.result(t).Layers, "after %s", after)
		require.NoError(t, keep.Close())
	}
}

// The same at a step that both wait for.
func TestOneOfTwoAtAStepIsKilled(t *testing.T) {
	requireEngine(t)
	dir, f := t.TempDir(), newFixture(t)
	j := job{StateDir: dir, Fixture: f, Do: "pause", Mark: filepath.Base(dir)}
	victim := startJob(t, j, nil)
	victim.expect(t, "pausing")
	j.Fixture = f.copy(t)
	other := startJob(t, j, nil)
	other.expect(t, "pausing") // it is shown what the step has said
	require.NoError(t, victim.Process.Kill())
	_ = victim.Wait()
	other.expect(t, "paused")
	require.NoError(t, other.stdin.Close())
	require.NoError(t, other.Wait())
	requireAllGone(t, dir, j.Mark)
}

// runJob runs a job from its beginning to its end.
func runJob(t testing.TB, j job) (res result) {
	t.Helper()
	return startJob(t, j, nil).result(t)
}

// result waits for a job's end.
func (c *child) result(t testing.TB) (res result) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(c.expect(t, "{")), &res))
	require.NoError(t, c.stdin.Close())
	require.NoError(t, c.Wait())
	return res
}

// requireAllGone waits until no BuildKit, no step and no mount is left.
func requireAllGone(t *testing.T, dir, mark string) {
	t.Helper()
	left := func() []string {
		all := append(processesWith(t, "environ", markVariable+"="+mark), mounts(t, dir)...)
		for _, pid := range buildKits(t, dir) {
			all = append(all, fmt.Sprint("BuildKit ", pid))
		}
		return all
	}
	require.Eventually(t, func() bool { return len(left()) == 0 }, 20*time.Second, 10*time.Millisecond, "left: %v", left())
}
