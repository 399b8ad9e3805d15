//go:build linux

package e2e

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/testregistry"
)

// Where the image cannot be reached, the others are built, and what helps is reported.
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
