//go:build linux

package e2e

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/testregistry"
	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/engine"
	"github.com/lucid-project/base-images/lucidbase/lock"
	"github.com/lucid-project/base-images/lucidbase/verify"
	"github.com/lucid-project/base-images/variants"
)

var updateLists = flag.Bool("update-lists", false, "lock the lists in testdata/lists anew, in TestLongFleet")

const fleetDir = "testdata/lists"

// fleetLists are twenty lists as services have them.
func fleetLists(t *testing.T) []string {
	t.Helper()
	lists, err := filepath.Glob(filepath.Join(fleetDir, "*.in"))
	require.NoError(t, err)
	require.Len(t, lists, 20)
	return lists
}

// lockFleet locks a list for python-base, or alone where that contradicts it.
func lockFleet(t *testing.T, o ownLock, list string) lock.Packages {
	t.Helper()
	text, err := os.ReadFile(list)
	require.NoError(t, err)
	o.list(t, "requirements.txt", string(text))
	res := o.lock(t, "--base", "python-base")
	if res.code != 0 {
		require.Contains(t, res.stderr, "--base bare", list)
		res = o.lock(t, "--base", "bare")
	}
	require.Zero(t, res.code, "%s: %s", list, res.stderr)
	locked, err := lock.Read(os.DirFS(o.dir), "requirements.lock.txt")
	require.NoError(t, err)
	return locked
}

func header(base string) string {
	return "# Written by TestLongFleet -update-lists of " + base + ".in, with the hashes of what images have alone.\n"
}

// used leaves out the hashes of files that no image of the lock has: there are many,
// and the lists' locks are kept here.
func used(p lock.Packages) lock.Packages {
	for i, r := range p.Requirements {
		needed := map[string]bool{}
		for _, w := range r.Wheels {
			needed["sha256:"+w.SHA256] = true
		}
		if r.Sdist != nil {
			needed["sha256:"+r.Sdist.SHA256] = true
		}
		p.Requirements[i].Hashes = slices.DeleteFunc(slices.Clone(r.Hashes), func(h string) bool { return !needed[h] })
	}
	return p
}

// Twenty services, and what a registry holds of them: a wheel that they share is
// there once. Their locks are kept, so that the same is built for a long time; some
// are made anew, to see that the lists can be locked.
func TestLongFleet(t *testing.T) {
	s := needEngine(t)
	o := ownLock{s, t.TempDir()}
	var jobs []engine.Job
	r := testregistry.New(t)
	lists := fleetLists(t)
	for i, list := range lists {
		base := strings.TrimSuffix(filepath.Base(list), ".in")
		if *updateLists || i%5 == 0 {
			locked := lockFleet(t, o, list)
			for file, content := range used(locked).Files(base+".lock.txt", header(base)) {
				if *updateLists {
					require.NoError(t, os.WriteFile(filepath.Join(fleetDir, file), content, 0o644))
				}
			}
		}
		locked, err := lock.Read(os.DirFS(fleetDir), base+".lock.txt")
		require.NoError(t, err)
		jobs = append(jobs, engine.Job{Spec: fleetSpec(locked), To: engine.Push(r.Ref("fleet:" + base))})
	}
	results, err := wheelEngine(t, nil).BuildAll(t.Context(), jobs)
	require.NoError(t, err)
	require.Len(t, results, len(jobs))

	sum := int64(0)
	for i, res := range results {
		for _, p := range res.Platforms {
			sum += p.Size
			t.Logf("%-12s %s %6.1f MB", filepath.Base(lists[i]), p.Platform, mega(p.Size))
		}
	}
	held := r.Size()
	t.Logf("the registry holds %.1f MB, the images have %.1f MB: %.1f %%", mega(held), mega(sum), 100*mega(held)/mega(sum))
	require.LessOrEqual(t, held*100, sum*30)
}

func mega(bytes int64) float64 { return float64(bytes) / 1e6 }

func fleetSpec(p lock.Packages) lucidbase.Spec {
	var waivers []verify.Waiver
	if find(p.Requirements, "pillow").Version == "10.1.0" {
		for _, library := range []string{"libjpeg-32b76cef.so.62.4.0", "libjpeg-87609c0c.so.62.4.0"} { // AMD64's and ARM64's
			waivers = append(waivers, verify.Waiver{
				Rule: "elf-needed", Path: "/opt/venv/lib/python3.11/site-packages/Pillow.libs/" + library,
				Reason: "Pillow 10.1.0 was published with a search path below the work directory, which nobody but root can write to",
			})
		}
	}
	if p.Base.Name == "python-base" {
		return variants.Python{Packages: p, Waivers: waivers}
	}
	return variants.Bare{Packages: p, Waivers: waivers}
}
