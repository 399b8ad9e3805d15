//go:build linux

package e2e

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/alpinetest"
	"github.com/lucid-project/base-images/internal/testregistry"
	"github.com/lucid-project/base-images/lucidbase/lock"
)

// Where the image cannot be reached, the others are built, and what helps is told.
func TestAlpineOutOfReach(t *testing.T) {
	s := needEngine(t)
	want := s.firstBuild(t)
	empty := testregistry.New(t)
	for name, c := range map[string]struct{ mirror, says string }{
		"a mirror that is down":         {closed, "connection refused"},
		"a mirror that has no such":     {empty.Host, "UNKNOWN"},
		"no mirror and a proxy that is": {"", "proxyconnect tcp"},
	} {
		t.Run(name, func(t *testing.T) {
			dist := filepath.Join(t.TempDir(), "dist")
			args := []string{"build", "--cache-dir", s.cache(), "--output", dist, "--progress", "quiet"}
			if c.mirror != "" {
				args = append(args, "--image-mirror", "docker.io="+c.mirror+"/hub")
			}
			res := s.run(t, command{args: args, env: deadProxy})
			require.Equal(t, 1, res.code, res.stderr)
			for _, im := range want.Images {
				require.Contains(t, res.stdout, im.Name+" "+im.Ref+"@"+im.Digest+"\n")
				require.DirExists(t, filepath.Join(dist, im.Name))
			}
			require.NoDirExists(t, filepath.Join(dist, "alpine-base"))
			for _, text := range []string{"lucidbase: alpine-base: resolving docker.io/library/python:3.11-alpine3.23 for linux/", c.says, "--image-mirror docker.io=HOST/PREFIX", "LUCID_IMAGE_MIRROR"} {
				require.Contains(t, res.stderr, text)
			}
		})
	}
	s.refuse(t, command{args: []string{"build", "alpine", "--cache-dir", s.cache(), "--output", t.TempDir()}, env: deadProxy}, "alpine-base: resolving ")
}

// The command fetches the image from a mirror, and needs it no more once the cache
// has it. A lock that says what the image holds gives the same image.
func TestAlpineFromAMirror(t *testing.T) {
	s := needEngine(t)
	im, mirrors := alpinetest.Image(t)
	if len(mirrors) == 0 {
		t.Skip("the official image needs no mirror")
	}
	own := s.withLock(t, lock.AlpineFile, im.Format())
	cache := filepath.Join(t.TempDir(), "cache")
	build := func(s shared, c command) string {
		t.Helper()
		c.args = append([]string{"build", "alpine-base", "--cache-dir", cache, "--progress", "quiet", "--output", filepath.Join(t.TempDir(), "dist")}, c.args...)
		res := s.run(t, c)
		require.Zero(t, res.code, res.stderr)
		require.Regexp(t, `^alpine-base lucid/alpine-base:latest@sha256:[0-9a-f]{64}\n$`, res.stdout)
		return res.stdout
	}
	want := build(own, command{env: []string{"LUCID_IMAGE_MIRROR=docker.io=" + closed + "/hub," + mirrors[0]}})
	require.Equal(t, want, build(own, command{env: deadProxy}))

	dir := copyLocks(t)
	require.NoError(t, os.WriteFile(filepath.Join(dir, lock.AlpineFile), im.Format(), 0o644))
	res := s.run(t, command{args: []string{"lock", "--dir", dir, "--cache-dir", cache, "--progress", "quiet", "--image-mirror", mirrors[0]}})
	require.Zero(t, res.code, res.stderr)
	require.Contains(t, res.stdout, "alpine musl added ")
	require.NotContains(t, res.stderr, "keeping alpine.json")
	locked, err := lock.Read(os.DirFS(dir))
	require.NoError(t, err)
	require.Equal(t, im.Digest, locked.Alpine.Digest)
	require.Len(t, locked.Alpine.Platforms, 2)
	require.Equal(t, want, build(s.withLock(t, lock.AlpineFile, locked.Alpine.Format()), command{env: deadProxy}))
}
