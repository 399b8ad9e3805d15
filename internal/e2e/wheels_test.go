//go:build linux

package e2e

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/alpinetest"
	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/engine"
	"github.com/lucid-project/base-images/lucidbase/lock"
	"github.com/lucid-project/base-images/lucidbase/verify"
	"github.com/lucid-project/base-images/variants"
)

// unneeded excuses what was installed without what it requires.
func unneeded(p lock.Packages) []verify.Waiver {
	var all []verify.Waiver
	for _, r := range p.Requirements {
		if slices.Contains([]string{"cffi", "levenshtein", "parsimonious", "pymongo"}, r.Name) {
			info := "/opt/venv/lib/python3.11/site-packages/" + r.Name + "-" + r.Version + ".dist-info/METADATA"
			all = append(all, verify.Waiver{Rule: "requires", Path: info, Reason: "what it requires is not tested"})
		}
	}
	return all
}

// wheelEngine is an engine on the lockCache.
func wheelEngine(t *testing.T, mirrors []string) *engine.Engine {
	t.Helper()
	opts := []engine.Option{engine.WithCacheDir(needEngine(t).lockCache()), engine.WithImageMirrors(mirrors...), engine.WithProgress(os.Stderr), engine.WithProgressMode("plain")}
	eng, err := engine.Open(t.Context(), "", opts...)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, eng.Close()) })
	return eng
}

// Wheels are compiled for each target but AMD64 Debian, which has the published ones,
// and the C code of all of them gives the same answers.
func TestLongCompiledWheels(t *testing.T) {
	t.Parallel()
	needEngine(t)
	im, mirrors := alpinetest.Image(t)
	own, err := lock.Default()
	require.NoError(t, err)
	locks := *own
	locks.Alpine = im
	packages, err := lock.Read(os.DirFS("testdata"), "compiled.lock.txt")
	require.NoError(t, err)
	eng := wheelEngine(t, mirrors)
	var jobs []engine.Job
	dist := t.TempDir()
	bare := variants.Bare{Packages: packages, Waivers: unneeded(packages)}
	alpine := variants.Alpine{Packages: packages, Waivers: unneeded(packages), Locks: &locks}
	alpine.Packages.Base.Name = "alpine-base" // they are all that the image has
	for name, spec := range map[string]lucidbase.Spec{"glibc": bare, "musl": alpine} {
		jobs = append(jobs, engine.Job{Spec: spec, To: engine.Layout(filepath.Join(dist, name), "lucid/"+name)})
	}
	_, err = eng.BuildAll(t.Context(), jobs)
	require.NoError(t, err)
	var names []string
	for _, r := range packages.Requirements {
		names = append(names, r.Name)
	}
	var want string
	for _, target := range []struct{ libc, arch string }{{"glibc", "amd64"}, {"glibc", "arm64"}, {"musl", "amd64"}, {"musl", "arm64"}} {
		got := probeCompiled(t, filepath.Join(dist, target.libc), target.arch, names...)
		t.Logf("%s %s: %s", target.libc, target.arch, got)
		if want == "" {
			want = got
		}
		require.Equal(t, want, got, "%s on %s", target.libc, target.arch)
	}
}

// probeCompiled runs what testdata asks of each package, and returns the answers.
func probeCompiled(t *testing.T, dir, arch string, names ...string) string {
	t.Helper()
	img := platformImage(t, onlyIndex(t, dir), "linux", arch)
	c := newContainer(t, img)
	res := c.run(t, append([]string{"python", probeDir + "/probe_compiled.py"}, names...)...)
	require.Zero(t, res.code, res.stdout+res.stderr)
	return res.stdout
}
