//go:build linux

package e2e

import (
	"os"
	"path/filepath"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/engine"
	"github.com/lucid-project/base-images/lucidbase/lock"
	"github.com/lucid-project/base-images/variants"
)

// A list is locked together with a base: what it does not pin is the base's, what it
// pins pulls the base's packages along, and the image has only what differs in layers
// of its own.
func TestLockWithBase(t *testing.T) {
	t.Parallel()
	s := needEngine(t)
	o := ownLock{s, t.TempDir()}
	o.list(t, "requirements.txt", "fastapi\npymongo==4.6.0\nrich==13.7.0\n")
	res := o.lock(t, "--base", "python-base")
	require.Zero(t, res.code, res.stderr)
	locked, err := lock.Read(os.DirFS(o.dir), "requirements.lock.txt")
	require.NoError(t, err)
	own, err := lock.Default()
	require.NoError(t, err)
	base := own.Python[lock.Python]
	require.Equal(t, lock.Base{Name: "python-base", Digest: base.Digest()}, locked.Base)
	require.Equal(t, base.Targets, locked.Targets)
	changed := map[string]bool{"pymongo": true, "motor": true}
	for _, r := range base.Requirements {
		got := find(locked.Requirements, r.Name)
		if changed[r.Name] {
			require.NotEqual(t, r.Version, got.Version, r.Name)
			continue
		}
		require.Equal(t, r.Version, got.Version, r.Name)
	}
	require.Equal(t, "4.6.0", find(locked.Requirements, "pymongo").Version)

	dist := t.TempDir()
	_, err = wheelEngine(t, nil).BuildAll(t.Context(), []engine.Job{
		{Spec: variants.Python{}, To: engine.Layout(filepath.Join(dist, "base"), "lucid/base")},
		{Spec: variants.Python{Packages: locked}, To: engine.Layout(filepath.Join(dist, "service"), "lucid/service")},
	})
	require.NoError(t, err)
	for _, p := range lucidbase.AllPlatforms() {
		shared := map[v1.Hash]bool{}
		for _, l := range layersOf(t, filepath.Join(dist, "base"), p.Architecture) {
			shared[l] = true
		}
		further := 0
		for _, l := range layersOf(t, filepath.Join(dist, "service"), p.Architecture) {
			if !shared[l] {
				further++
			}
		}
		// pymongo, rich and pygments, the small ones, and the base's small ones without motor.
		require.LessOrEqual(t, further, 5, p.Architecture)
		img := platformImage(t, onlyIndex(t, filepath.Join(dist, "service")), "linux", p.Architecture)
		c := newContainer(t, img)
		res := c.run(t, "python", "-c", "import fastapi, motor.motor_asyncio, pymongo, rich; print(pymongo.version)")
		require.Equal(t, "4.6.0\n", res.stdout, res.stderr)
	}

	o.list(t, "requirements.txt", "rich\nbcrypt==5.0.0\n")
	res = o.lock(t, "--base", "base")
	require.Equal(t, 1, res.code)
	require.Contains(t, res.stderr, "requirements.txt and the packages of base cannot be had together: requirements.txt: line 2: bcrypt==5.0.0; ")
	require.Contains(t, res.stderr, "--base bare")

	// What only the base asks for, uvicorn[standard] here, is not the list's.
	o.list(t, "requirements.txt", "uvicorn==0.16.0\n")
	res = o.lock(t, "--base", "base")
	require.Equal(t, 1, res.code)
	require.Contains(t, res.stderr, "requirements.txt and the packages of base cannot be had together: httptools 0.3.0: no wheel for ")
	require.Contains(t, res.stderr, "base: bare-base")

	o.list(t, "requirements.txt", "six\nPyAudio==0.2.13\n")
	res = o.lock(t, "--base", "base")
	require.Equal(t, 1, res.code)
	require.Contains(t, res.stderr, "requirements.txt: line 2: PyAudio==0.2.13: no wheel for ")
	require.NotContains(t, res.stderr, "cannot be had together", "no base changes a source")
}

func layersOf(t *testing.T, layout, arch string) (all []v1.Hash) {
	t.Helper()
	layers, err := platformImage(t, onlyIndex(t, layout), "linux", arch).Layers()
	require.NoError(t, err)
	for _, l := range layers {
		id, err := l.Digest()
		require.NoError(t, err)
		all = append(all, id)
	}
	return all
}
