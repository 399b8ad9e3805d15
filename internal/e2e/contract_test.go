//go:build linux

package e2e

import (
	"bytes"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/moby/buildkit/client/llb"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/testregistry"
	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/engine"
	"github.com/lucid-project/base-images/lucidbase/verify"
	"github.com/lucid-project/base-images/variants"
)

// withShell is an image of one's own with a file that it should not have.
func withShell(waivers ...verify.Waiver) lucidbase.Spec {
	return lucidbase.SpecFunc(func(p lucidbase.Platforms) (lucidbase.Graph, error) {
		g, err := variants.Python{Waivers: waivers}.Graph(p)
		if err != nil {
			return g, err
		}
		created := lucidbase.Epoch()
		g.State = g.State.File(llb.Mkfile("/usr/bin/run", 0o755, []byte("#!/usr/bin/dash\n"), llb.WithCreatedTime(created)), llb.Platform(p.Target)).
			File(llb.Mkfile("/usr/bin/dash", 0o755, []byte("\x7fELF"), llb.WithCreatedTime(created)), llb.Platform(p.Target))
		for range 2 {
			g.Config.History = append(g.Config.History, ocispecs.History{Created: &created, CreatedBy: "test"})
		}
		return g, nil
	})
}

func openEngine(t *testing.T, cache string, opts ...engine.Option) *engine.Engine {
	t.Helper()
	eng, err := engine.Open(t.Context(), "", append(opts, engine.WithCacheDir(cache))...)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, eng.Close()) })
	return eng
}

// An image that breaks the contract stops its whole build: nobody gets it, nor
// what was built beside it.
func TestContractStopsBuild(t *testing.T) {
	s := needEngine(t)
	s.firstBuild(t)
	r := testregistry.New(t)
	dist := filepath.Join(t.TempDir(), "dist")
	_, err := openEngine(t, s.cache()).BuildAll(t.Context(), []engine.Job{
		{Spec: variants.Python{}, To: engine.Layout(dist, "lucid/good")},
		{Spec: variants.Python{}, To: engine.Push(r.Ref("lucid/good"))},
		{Spec: withShell(), To: engine.Push(r.Ref("lucid/bad"))},
	})
	var broken *engine.ContractError
	require.ErrorAs(t, err, &broken)
	var found []string
	for _, result := range broken.Results {
		require.Equal(t, r.Ref("lucid/bad:latest"), result.Name)
		for _, f := range result.Findings {
			if f.Rule == "shell" || f.Rule == "script" {
				found = append(found, result.Platform.String()+" "+f.Rule+" "+f.Path)
			}
		}
	}
	require.Equal(t, []string{
		"linux/amd64 shell /usr/bin/dash", "linux/amd64 script /usr/bin/run",
		"linux/arm64 shell /usr/bin/dash", "linux/arm64 script /usr/bin/run",
	}, found)
	require.NoDirExists(t, dist)
	for _, q := range r.Requests() {
		require.NotContains(t, []string{"POST", "PUT", "PATCH"}, q.Method, "%s: nothing is published", q)
	}
}

// A waiver covers one file and one rule, every build tells of it, the image's
// label too, and who verifies the image does not believe the label.
func TestWaiver(t *testing.T) {
	s := needEngine(t)
	s.firstBuild(t)
	var waivers []verify.Waiver
	for _, at := range []string{"shell:/usr/bin/dash", "elf-damaged:/usr/bin/dash", "script:/usr/bin/run"} {
		w, err := verify.ParseWaiver(at + "=for a test")
		require.NoError(t, err)
		waivers = append(waivers, w)
	}
	dir := filepath.Join(t.TempDir(), "image")
	job := engine.Job{Spec: withShell(waivers...), Platforms: []ocispecs.Platform{lucidbase.LinuxARM64}, To: engine.Layout(dir, "lucid/waived")}
	for range 2 {
		var progress bytes.Buffer
		eng, err := engine.Open(t.Context(), "", engine.WithCacheDir(s.cache()), engine.WithProgress(&progress))
		require.NoError(t, err)
		_, err = eng.Build(t.Context(), job)
		require.NoError(t, errors.Join(err, eng.Close()))
		for _, w := range waivers {
			require.Contains(t, progress.String(), "waived in lucid/waived:latest linux/arm64: "+w.String()+"\n")
		}
	}
	label := waiversLabel(t, dir)
	require.Equal(t, "elf-damaged:/usr/bin/dash=for a test\nscript:/usr/bin/run=for a test\nshell:/usr/bin/dash=for a test", label)

	res := s.run(t, command{args: []string{"verify", dir}})
	require.Equal(t, 1, res.code, res.stderr)
	require.Contains(t, res.stdout, "/usr/bin/dash")
	args := []string{"verify", dir}
	for line := range strings.SplitSeq(label, "\n") {
		args = append(args, "--waive", line)
	}
	res = s.run(t, command{args: args})
	require.Zero(t, res.code, res.stdout+res.stderr)
}

func waiversLabel(t *testing.T, dir string) string {
	t.Helper()
	index, err := layout.ImageIndexFromPath(dir)
	require.NoError(t, err)
	manifest, err := index.IndexManifest()
	require.NoError(t, err)
	index, err = index.ImageIndex(manifest.Manifests[0].Digest)
	require.NoError(t, err)
	manifest, err = index.IndexManifest()
	require.NoError(t, err)
	img, err := index.Image(manifest.Manifests[0].Digest)
	require.NoError(t, err)
	config, err := img.ConfigFile()
	require.NoError(t, err)
	return config.Config.Labels[lucidbase.WaiversLabel]
}
