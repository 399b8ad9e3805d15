//go:build linux

package e2e

import (
	"encoding/json"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/alpinetest"
	"github.com/lucid-project/base-images/lucidbase/lock"
)

const lockDir = "../../lucidbase/lock"

// copyLocks copies the package lists and the locks, and nothing else.
func copyLocks(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, pattern := range []string{"*.in", "*.toml", "*.json", "*.lock.txt"} {
		names, err := filepath.Glob(filepath.Join(lockDir, pattern))
		require.NoError(t, err)
		require.NotEmpty(t, names)
		for _, name := range names {
			data, err := os.ReadFile(name)
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(filepath.Join(dir, filepath.Base(name)), data, 0o644))
		}
	}
	return dir
}

func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	all := map[string]string{}
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		require.NoError(t, err)
		all[e.Name()] = string(data)
	}
	return all
}

// edit replaces the first match in a file by what it is called with.
func edit(t *testing.T, file, pattern, with string) {
	t.Helper()
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	at := regexp.MustCompile(pattern).FindStringIndex(string(data))
	require.NotNil(t, at, pattern)
	require.NoError(t, os.WriteFile(file, slices.Concat(data[:at[0]], []byte(with), data[at[1]:]), 0o644))
}

func TestLock(t *testing.T) {
	t.Parallel()
	s := needEngine(t)
	im, mirrors := alpinetest.Image(t)
	dir := copyLocks(t)
	run := func(args ...string) result {
		return s.run(t, command{args: append([]string{"lock", "--dir", dir, "--cache-dir", s.lockCache(), "--progress", "quiet"}, args...), env: imageMirrors(mirrors)})
	}
	names := slices.Sorted(maps.Keys(contents(t, dir)))

	// A lock that cannot be read is no obstacle.
	require.NoError(t, os.WriteFile(filepath.Join(dir, lock.DebianFile), []byte("{"), 0o644))
	res := run()
	require.Zero(t, res.code, res.stderr)
	require.Contains(t, res.stderr, "lucidbase: resolving from nothing: parsing debian12.json: line 1")
	require.Contains(t, res.stdout, "\ndebian libc6 added ")
	require.Contains(t, res.stdout, "alpine musl added ")
	require.NotContains(t, res.stderr, "keeping alpine.json")
	locked, err := lock.ReadSet(os.DirFS(dir))
	require.NoError(t, err)
	require.Equal(t, im.Digest, locked.Alpine.Digest)
	require.Len(t, locked.Alpine.Platforms, 2)
	fresh := contents(t, dir)
	require.Equal(t, names, slices.Sorted(maps.Keys(fresh)))

	res = run("--check")
	require.Zero(t, res.code, res.stdout+res.stderr)
	require.True(t, strings.HasSuffix(res.stderr, "lucidbase: the locks are up to date\n"), res.stderr)
	require.Empty(t, res.stdout)
	// What is compiled is reported each time. No wheel of pymongo is for musl.
	require.Regexp(t, `(?m)^lucidbase: minimal: pymongo \S+: compiled from source for musllinux_1_2_x86_64, musllinux_1_2_aarch64: no wheel is published for them$`, res.stderr)
	require.NotContains(t, res.stderr, "lucidbase: python: ")
	require.Equal(t, fresh, contents(t, dir))

	// What changed is reported by package and version; to check writes nothing.
	edit(t, filepath.Join(dir, lock.DebianFile), `"name": "libc6",\s*"version": "[^"]*"`, `"name": "libc6", "version": "2.0-1"`)
	for _, tier := range lock.Tiers() {
		edit(t, filepath.Join(dir, tier.LockFile()), `(?m)^aiohttp==[^ ]*`, "aiohttp==1.0.0")
		edit(t, filepath.Join(dir, lock.Beside(tier.LockFile())), `name = "aiohttp"\nversion = "[^"]*"`, "name = \"aiohttp\"\nversion = \"1.0.0\"")
	}
	edit(t, filepath.Join(dir, lock.Beside(lock.Minimal.LockFile())), `targets = \["musllinux_1_2_x86_64", "musllinux_1_2_aarch64"\]\nbuild`, "targets = [\"musllinux_1_2_aarch64\"]\nbuild")
	edited := contents(t, dir)
	res = run("--check")
	require.Equal(t, 1, res.code, res.stderr)
	require.True(t, strings.HasSuffix(res.stderr, "lucidbase: the locks are not up to date\n"), res.stderr)
	require.Regexp(t, `(?m)^debian libc6 2\.0-1 -> 2\.\S+ \(linux/amd64\)$`, res.stdout)
	require.Regexp(t, `(?m)^python aiohttp 1\.0\.0 -> \d\S+$`, res.stdout)
	require.Regexp(t, `(?m)^source pymongo \S+: compiled from source for musllinux_1_2_aarch64 -> \S+: compiled from source for \S+, \S+: no wheel is published for them$`, res.stdout)
	require.Equal(t, 3, strings.Count(res.stdout, "\n"), res.stdout)
	require.Equal(t, edited, contents(t, dir))

	// The same archives give the same bytes.
	require.Zero(t, run().code)
	require.Equal(t, fresh, contents(t, dir))
}

func TestLockInterrupted(t *testing.T) {
	s := needEngine(t)
	s.firstBuild(t)
	dir := copyLocks(t)
	edit(t, filepath.Join(dir, lock.Minimal.LockFile()), `(?m)^aiohttp==[^ ]*`, "aiohttp==1.0.0")
	before := contents(t, dir)
	cmd := s.cmd(t, command{args: []string{"lock", "--dir", dir, "--cache-dir", s.cache(), "--progress", "plain"}})
	stderr, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	waitFor(t, stderr, "resolve Python packages")
	require.NoError(t, cmd.Process.Signal(os.Interrupt))
	rest, _ := io.ReadAll(stderr)
	require.Error(t, cmd.Wait())
	require.Equal(t, 1, cmd.ProcessState.ExitCode())
	require.True(t, strings.HasSuffix(string(rest), "\nlucidbase: interrupted\n"), string(rest))
	require.Equal(t, before, contents(t, dir))
}

// The command of an old release names packages that Debian's mirrors dropped.
func TestRelock(t *testing.T) {
	s := needEngine(t)
	s.firstBuild(t)
	old := s.oldRelease(t)
	cache := t.TempDir()
	require.NoError(t, os.CopyFS(filepath.Join(cache, "downloads"), os.DirFS(filepath.Join(s.cache(), "downloads"))))
	args := []string{"build", "python-base", "--platform", "linux/amd64", "--cache-dir", cache, "--output"}

	dist := filepath.Join(t.TempDir(), "dist")
	old.refuse(t, command{args: append(args, dist)}, "downloading zlib1g 1:0-0: ", "no archive has it any more", "404 ", "build --relock")
	require.NoDirExists(t, dist)

	for _, how := range []string{"resolving the lists afresh", "an earlier build resolved"} {
		res := old.run(t, command{args: append(args, filepath.Join(t.TempDir(), "dist"), "--relock", "--progress", "quiet")})
		require.Zero(t, res.code, res.stderr)
		require.Contains(t, res.stderr, "lucidbase: making rootfs linux/")
		require.Contains(t, res.stderr, "downloading zlib1g 1:0-0: ")
		require.Contains(t, res.stderr, how)
		require.Regexp(t, `(?m)^lucidbase: debian zlib1g 1:0-0 -> 1:1\S+$`, res.stderr)
		require.Regexp(t, `^python-base lucid/python-base:latest@sha256:[0-9a-f]{64}\n$`, res.stdout)
	}
}

// oldRelease builds the command with a lock of its own, in which one package has
// a version that there never was.
func (s shared) oldRelease(t *testing.T) shared {
	t.Helper()
	own, err := lock.Default()
	require.NoError(t, err)
	d, err := lock.ParseDebian(lock.DebianFile, own.Debian.Format())
	require.NoError(t, err)
	for name, p := range d.Platforms {
		i := slices.IndexFunc(p.Rootfs.Packages, func(pkg lock.Package) bool { return pkg.Name == "zlib1g" })
		old := &p.Rootfs.Packages[i]
		old.Version, old.Path, old.SHA256 = "1:0-0", "pool/main/z/zlib/zlib1g_0-0.deb", strings.Repeat("0", 64)
		p.Rootfs.Digest = "sha256:" + strings.Repeat("0", 64)
		d.Platforms[name] = p
	}
	return s.withLock(t, lock.DebianFile, d.Format())
}

// withLock builds the command with another lock in it.
func (s shared) withLock(t *testing.T, name string, data []byte) shared {
	t.Helper()
	return shared{dir: buildWithLock(t, name, data, "cmd/lucidbase")}
}

// buildWithLock builds programs of this module with another lock in them, and returns
// the directory that they are in.
func buildWithLock(t *testing.T, name string, data []byte, programs ...string) string {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, name)
	require.NoError(t, os.WriteFile(file, data, 0o644))
	committed, err := filepath.Abs(filepath.Join(lockDir, name))
	require.NoError(t, err)
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {committed: file}})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "overlay.json"), overlay, 0o644))
	args := []string{"build", "-ldflags=-s -w", "-overlay", filepath.Join(dir, "overlay.json"), "-o", dir + "/"}
	for _, program := range programs {
		args = append(args, "github.com/lucid-project/base-images/"+program)
	}
	output(t, "go", args...)
	return dir
}
