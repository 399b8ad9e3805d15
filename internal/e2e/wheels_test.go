//go:build linux

package e2e

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/alpinetest"
	"github.com/lucid-project/base-images/internal/stage"
	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/engine"
	"github.com/lucid-project/base-images/lucidbase/lock"
	"github.com/lucid-project/base-images/lucidbase/verify"
	"github.com/lucid-project/base-images/variants"
)

// compiled is an image of nothing but Python and packages, which are made of sources
// where they have one for the target.
type compiled struct {
	locks   *lock.Set
	musl    bool
	reqs    lock.Requirements
	sources lock.Sources
}

func (c compiled) Graph(p lucidbase.Platforms) (lucidbase.Graph, error) {
	b, inputs := stage.NewBuilder(c.locks.Debian, p.Build)
	uv, err := c.locks.Tools.Requirements(lucidbase.FormatPlatform(p.Build))
	if err != nil {
		return lucidbase.Graph{}, err
	}
	compiler := stage.Compiler{Builder: b, Locks: c.locks}
	target := stage.Target{Platform: p.Target, Version: "3.11.2", Prefix: "/usr"}
	root, _ := lucidbase.Inputs(c.locks.Debian, p.Target)
	if c.musl {
		target.Musl, target.Prefix = true, "/usr/local"
		var headers lucidbase.Input
		if root, headers, err = lucidbase.ImageInputs(c.locks.Alpine, c.locks.Debian, p.Images, p.Target); err != nil {
			return lucidbase.Graph{}, err
		}
		compiler.Headers = &headers
	}
	used := c.sources.For(target.Wheels())
	wheels, more, err := compiler.Wheels(used, target)
	if err != nil {
		return lucidbase.Graph{}, err
	}
	state := b.Packages(b.Interpreter(root.State(), target), b.UV(uv), "compiled packages", target, used.Replace(c.reqs), wheels...)
	created := lucidbase.Epoch()
	entry := ocispecs.History{Created: &created}
	g := lucidbase.Graph{
		State:    state,
		Inputs:   append(append(inputs, root), more...),
		Contract: verify.Contract{Waivers: c.alone()},
	}
	g.Config.Image = ocispecs.Image{
		Created: &created, Platform: p.Target,
		RootFS: ocispecs.RootFS{Type: "layers"}, History: []ocispecs.History{entry, entry, entry},
	}
	g.Config.Config.ImageConfig = ocispecs.ImageConfig{
		User: "65532:65532", WorkingDir: "/app", Env: []string{"PATH=/opt/venv/bin"}, Cmd: []string{"python"},
		Labels: map[string]string{variants.LockDigestLabel: c.locks.Digest(lock.Minimal, nil)},
	}
	return g, nil
}

// alone excuses what was installed without what it requires.
func (c compiled) alone() []verify.Waiver {
	var all []verify.Waiver
	for _, s := range c.sources {
		if slices.Contains([]string{"cffi", "levenshtein", "parsimonious", "pymongo"}, s.Name) {
			info := "/opt/venv/lib/python3.11/site-packages/" + s.Name + "-" + s.Version + ".dist-info/METADATA"
			all = append(all, verify.Waiver{Rule: "requires", Path: info, Reason: "what it requires is not tested"})
		}
	}
	return all
}

// wheelEngine is an engine with a cache that the tests of wheels share.
func wheelEngine(t *testing.T, mirrors []string) *engine.Engine {
	t.Helper()
	cache := filepath.Join(needEngine(t).dir, "wheels")
	opts := []engine.Option{engine.WithCacheDir(cache), engine.WithImageMirrors(mirrors...), engine.WithProgress(os.Stderr), engine.WithProgressMode("plain")}
	eng, err := engine.Open(t.Context(), "", opts...)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, eng.Close()) })
	return eng
}

// Wheels are compiled for each target but AMD64 Debian, which has the published ones,
// and the C code of all of them gives the same answers.
func TestCompiledWheels(t *testing.T) {
	t.Parallel()
	needEngine(t)
	im, mirrors := alpinetest.Image(t)
	own, err := lock.Default()
	require.NoError(t, err)
	locks := *own
	locks.Alpine = im
	reqs, sources, err := lock.ReadRequirements(os.DirFS("testdata"), "compiled.lock.txt")
	require.NoError(t, err)
	eng := wheelEngine(t, mirrors)
	var jobs []engine.Job
	dist := t.TempDir()
	for name, musl := range map[string]bool{"glibc": false, "musl": true} {
		jobs = append(jobs, engine.Job{
			Spec: compiled{&locks, musl, reqs, sources},
			To:   engine.Layout(filepath.Join(dist, name), "lucid/"+name),
		})
	}
	_, err = eng.BuildAll(t.Context(), jobs)
	require.NoError(t, err)
	var names []string
	for _, s := range sources {
		names = append(names, s.Name)
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

// probeCompiled runs what testdata asks of each package, and gives the answers.
func probeCompiled(t *testing.T, dir, arch string, names ...string) string {
	t.Helper()
	img := platformImage(t, onlyIndex(t, dir), "linux", arch)
	c := newContainer(t, unpack(t, img).dir, img, arch)
	res := c.run(t, append([]string{"python", probeDir + "/probe_compiled.py"}, names...)...)
	require.Zero(t, res.code, res.stdout+res.stderr)
	return res.stdout
}
