//go:build linux

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase"
)

// umask077 starts a command whose files nobody else may read.
var umask077 = []string{"sh", "-c", `umask 077; exec "$0" "$@"`}

// Another user, a build of nothing that was kept, and one platform alone give the same
// digests; TestLongTenBuildsOneDigest asks for more.
func TestOneDigest(t *testing.T) {
	t.Parallel()
	s := needEngine(t)
	want := s.firstBuild(t).digests()
	t.Log("cold", want)
	t.Run("nothing from the cache, another umask and time zone", func(t *testing.T) {
		c := command{dir: t.TempDir(), under: umask077, env: []string{"TZ=Pacific/Kiritimati", "LANG=tr_TR.UTF-8"}}
		c.args = []string{"--cache-dir", s.cache(), "--no-cache", "--output", filepath.Join(t.TempDir(), "dist")}
		require.Equal(t, want, s.build(t, c).digests())
	})
	t.Run("a user who is not root, cold", func(t *testing.T) {
		require.Equal(t, want, s.build(t, asNobody(t, s, command{})).digests())
	})
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

// Ten builds, with the first and TestOneDigest's, that differ in everything that may not
// matter give one digest for each image and platform.
func TestLongTenBuildsOneDigest(t *testing.T) {
	t.Parallel()
	s := needEngine(t)
	want := s.firstBuild(t).digests()
	other := filepath.Join(t.TempDir(), "another-cache")
	for _, c := range []struct {
		name string
		command
	}{
		{"warm", command{args: []string{"--cache-dir", s.cache()}}},
		{"another user's cache and umask, cold", command{args: []string{"--cache-dir", other}, env: []string{"HOME=" + t.TempDir(), "USER=other"}, under: umask077}},
		{"another user's cache, warm", command{args: []string{"--cache-dir", other}}},
		{"another time zone", command{args: []string{"--cache-dir", other, "--no-cache"}, env: []string{"TZ=Pacific/Kiritimati", "LANG=tr_TR.UTF-8"}}},
		{"one processor", command{args: []string{"--cache-dir", other, "--no-cache"}, under: []string{"taskset", "--cpu-list", "0"}}},
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
}

// asNobody runs a command as a user who is not root, with directories of its own
// and a range of subordinate ids that only it sees.
func asNobody(t *testing.T, s shared, c command) command {
	t.Helper()
	if _, err := exec.LookPath("newuidmap"); err != nil {
		missing(t, "users other than root need uidmap")
	}
	home, err := os.MkdirTemp("", "lucid-nobody-") // not below one of root's
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(home)) })
	require.NoError(t, os.Chown(home, 65534, 65534))
	ids := filepath.Join(home, "ids")
	require.NoError(t, os.WriteFile(ids, []byte("nobody:100000:65536\n"), 0o600))
	require.NoError(t, os.Chmod(ids, 0o644))
	require.NoError(t, os.Chmod(s.dir, 0o755)) // to start the command
	c.under = []string{"unshare", "--mount", "sh", "-c", "mount --bind " + ids + " /etc/subuid && mount --bind " + ids + " /etc/subgid && " +
		`exec setpriv --reuid=65534 --regid=65534 --clear-groups "$0" "$@"`}
	c.env = append(c.env, "HOME="+home, "XDG_CACHE_HOME=")
	c.dir = home
	c.metadata = filepath.Join(home, "metadata.json")
	return c
}
