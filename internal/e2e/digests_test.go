//go:build linux

package e2e

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase"
)

// Ten builds that differ in everything that may not matter give one digest for
// each image and platform.
func TestTenBuildsOneDigest(t *testing.T) {
	s := needEngine(t)
	want := s.firstBuild(t).digests()
	t.Log("cold", want)
	other := filepath.Join(t.TempDir(), "another-cache")
	umask := []string{"sh", "-c", `umask 077; exec "$0" "$@"`}
	for _, c := range []struct {
		name string
		command
	}{
		{"warm", command{args: []string{"--cache-dir", s.cache()}}},
		{"warm, nothing from the cache", command{args: []string{"--cache-dir", s.cache(), "--no-cache"}}},
		{"another user's cache, cold", command{args: []string{"--cache-dir", other}, env: []string{"HOME=" + t.TempDir(), "USER=other"}}},
		{"another user's cache, warm", command{args: []string{"--cache-dir", other}}},
		{"another umask", command{args: []string{"--cache-dir", other, "--no-cache"}, under: umask}},
		{"another umask, cold", command{args: []string{"--cache-dir", filepath.Join(t.TempDir(), "c")}, under: umask}},
		{"another time zone", command{args: []string{"--cache-dir", other, "--no-cache"}, env: []string{"TZ=Pacific/Kiritimati", "LANG=tr_TR.UTF-8"}}},
		{"one processor", command{args: []string{"--cache-dir", other, "--no-cache"}, env: []string{"GOMAXPROCS=1"}}},
		{"the other order of platforms", command{args: []string{"--cache-dir", other, "--platform", "linux/arm64/v8,linux/amd64"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.dir = t.TempDir() // another work directory each time
			c.args = append(c.args, "--output", filepath.Join(t.TempDir(), "dist"))
			got := s.build(t, c.command).digests()
			t.Log(got)
			require.Equal(t, want, got)
		})
	}
	for _, p := range lucidbase.AllPlatforms() {
		platform := lucidbase.FormatPlatform(p)
		t.Run(platform+" alone", func(t *testing.T) {
			got := s.build(t, command{dir: t.TempDir(), args: []string{"--cache-dir", s.cache(), "--platform", platform}}).digests()
			for _, image := range []string{"base", "python-base"} {
				require.Equal(t, want[image+" "+platform], got[image+" "+platform])
			}
		})
	}
}
