//go:build linux

package e2e

import (
	"bufio"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/dockertest"
	"github.com/lucid-project/base-images/internal/sandbox"
	"github.com/lucid-project/base-images/lucidbase"
)

// A standalone buildkitd, of the version that is linked in, gives the same
// digests: the interface is not shaped by the embedded engine.
func TestLongRemoteEngine(t *testing.T) {
	t.Parallel()
	s := needEngine(t)
	want := s.firstBuild(t).digests()
	address := dockertest.Buildkitd{}.Start(t).Host
	got := s.build(t, command{
		args: []string{"--engine", address, "--cache-dir", t.TempDir(), "--output", filepath.Join(t.TempDir(), "dist")},
	}).digests()
	require.Equal(t, want, got)
	one := s.buildNamed(t, command{
		env:  []string{"BUILDKIT_HOST=" + address},
		args: []string{"python-base", "--cache-dir", t.TempDir(), "--output", filepath.Join(t.TempDir(), "dist")},
	})
	require.Equal(t, want["python-base"], one.Images[0].Digest)
}

// Docker's own BuildKit does, too.
func TestLongDockersEngine(t *testing.T) {
	t.Parallel()
	s := needEngine(t)
	want := s.firstBuild(t).digests()["python-base"]
	d := dockertest.Docker{Version28: true, ContainerdStore: true, Network: dockertest.Behind}.Start(t)
	build := command{
		env:  []string{"DOCKER_HOST=" + d.Host},
		args: []string{"python-base", "--engine", "docker", "--cache-dir", t.TempDir(), "--output", filepath.Join(t.TempDir(), "dist")},
	}
	require.Equal(t, want, s.buildNamed(t, build).Images[0].Digest)
	build.args = append(build.args, "--load")
	require.Equal(t, want, s.buildNamed(t, build).Images[0].Digest)
	requirePython(t, d, "docker", "lucid/python-base")
}

func output(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	require.NoError(t, err, string(out))
	return string(out)
}

// What a Raspberry Pi's disk and a small build machine can bear.
func TestLimits(t *testing.T) {
	const mega = 1_000_000
	limits := map[string]int64{"python-base": 60 * mega, "base": 70 * mega}
	cold := needEngine(t).firstBuild(t)
	for _, im := range cold.Images {
		for _, p := range im.Platforms {
			t.Logf("%s %s: %.1f MB of %d MB", im.Name, p.Platform, float64(p.Size)/mega, limits[im.Name]/mega)
			require.LessOrEqual(t, p.Size, limits[im.Name], "%s %s", im.Name, p.Platform)
		}
	}
	t.Logf("largest process of the cold build: %d MB of 700 MB", cold.peak/mega)
	require.Less(t, cold.peak, int64(700*mega))
}

// When nothing changed, nothing is downloaded, built, compressed or written.
func TestUnchangedBuildDoesNothing(t *testing.T) {
	s := needEngine(t)
	want := s.firstBuild(t)
	dist := filepath.Join(s.dir, "dist")
	before := files(t, dist, filepath.Join(s.cache(), "content"), filepath.Join(s.cache(), "downloads"))
	var asked []string
	mirror := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.Path)
		http.NotFound(w, r)
	}))
	defer mirror.Close()
	got := s.build(t, command{
		args: []string{"--cache-dir", s.cache(), "--output", dist, "--debian-mirror", mirror.URL, "--debian-security-mirror", mirror.URL},
		env:  []string{"UV_DEFAULT_INDEX=" + mirror.URL, "PIP_INDEX_URL=" + mirror.URL},
	})
	require.Equal(t, want.Images, got.Images)
	require.Empty(t, asked)
	after := files(t, dist, filepath.Join(s.cache(), "content"), filepath.Join(s.cache(), "downloads"))
	for name, info := range before {
		require.Equal(t, info, after[name], name)
	}
	require.Len(t, after, len(before), "no file is added")
}

// files maps every file to its size and inode: what is written anew has another
// inode, what is used has another time.
func files(t *testing.T, dirs ...string) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, dir := range dirs {
		require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			info, err := d.Info()
			if err == nil {
				all[path] = fmt.Sprint(info.Size(), " bytes, inode ", info.Sys().(*syscall.Stat_t).Ino)
			}
			return err
		}))
	}
	return all
}

// The build never runs a program of another architecture: it works where
// nothing could.
func TestNoEmulation(t *testing.T) {
	s := needEngine(t)
	for _, other := range []string{"amd64", "arm64"} {
		if other != runtime.GOARCH {
			require.False(t, sandbox.Emulators[other].Registered(), "this machine runs %s programs: the first build proves nothing", other)
			_, err := exec.LookPath("buildkit-qemu-" + map[string]string{"amd64": "x86_64", "arm64": "aarch64"}[other])
			require.Error(t, err)
		}
	}
	require.Len(t, s.firstBuild(t).Images[0].Platforms, 2)
	// Every exec stands on the root filesystem of the build platform.
	for _, image := range []string{"base", "python-base"} {
		for _, target := range lucidbase.AllPlatforms() {
			res := s.run(t, command{args: []string{"graph", image, "--platform", lucidbase.FormatPlatform(target), "--build-platform", "linux/" + runtime.GOARCH}})
			require.Zero(t, res.code)
			execs := 0
			sc := bufio.NewScanner(strings.NewReader(res.stdout))
			for sc.Scan() {
				if f := strings.Fields(sc.Text()); len(f) > 2 && f[1] == "exec" {
					execs++
					require.Equal(t, "linux/"+runtime.GOARCH, f[2], sc.Text())
				}
			}
			require.GreaterOrEqual(t, execs, 4)
		}
	}
}

// A build that is interrupted ends at once, leaves nothing running or mounted,
// and no half of an image.
func TestInterrupt(t *testing.T) {
	s := needEngine(t)
	cache, dist := filepath.Join(t.TempDir(), "cache"), filepath.Join(t.TempDir(), "dist")
	cmd := s.cmd(t, command{args: []string{"build", "bare-base", "--cache-dir", cache, "--output", dist, "--progress", "plain"}})
	stderr, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	waitFor(t, stderr, "standard library")
	require.NoError(t, cmd.Process.Signal(os.Interrupt))
	rest, _ := io.ReadAll(stderr)
	require.Error(t, cmd.Wait())
	require.Equal(t, 1, cmd.ProcessState.ExitCode(), string(rest))
	require.Contains(t, string(rest), "lucidbase: interrupted")
	require.NoDirExists(t, dist)
	requireClean(t, cache)
	// What was built before is not lost, and the next build is not disturbed.
	s.buildNamed(t, command{args: []string{"bare-base", "--cache-dir", cache, "--output", dist}})
	requireClean(t, cache)
}

func waitFor(t *testing.T, r io.Reader, text string) {
	t.Helper()
	sc := bufio.NewScanner(r)
	for sc.Scan() {
		if strings.Contains(sc.Text(), text) {
			return
		}
	}
	require.FailNow(t, "never said: "+text)
}

// requireClean finds processes and mounts that a build left behind.
func requireClean(t *testing.T, cache string) {
	t.Helper()
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	require.NoError(t, err)
	require.NotContains(t, string(mounts), cache)
	procs, err := filepath.Glob("/proc/[0-9]*/mountinfo")
	require.NoError(t, err)
	for _, p := range procs {
		data, _ := os.ReadFile(p)
		require.NotContains(t, string(data), cache, "%s still runs", filepath.Dir(p))
	}
}

// Two builds may share a cache at once: the second does not wait for the first.
func TestTwoProcesses(t *testing.T) {
	s := needEngine(t)
	want := s.firstBuild(t).digests()
	args := []string{"build", "base", "python-base", "--cache-dir", s.cache(), "--progress", "plain", "--no-cache", "--output"}
	first := s.cmd(t, command{args: append(args, filepath.Join(t.TempDir(), "a"))})
	stderr, err := first.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, first.Start())
	waitFor(t, stderr, "#1 ")
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = io.Copy(io.Discard, stderr)
	}()
	second := s.run(t, command{args: []string{"build", "base", "python-base", "--cache-dir", s.cache(), "--progress", "plain", "--output", filepath.Join(t.TempDir(), "b")}})
	require.Zero(t, second.code, second.stderr)
	require.Contains(t, second.stdout, want["base"])
	select {
	case <-done:
		require.Fail(t, "the second build ended after the first")
	default:
	}
	third := s.run(t, command{args: append(args, filepath.Join(t.TempDir(), "c"))})
	require.Zero(t, third.code, third.stderr)
	require.Contains(t, third.stdout, want["base"])
	<-done
	require.NoError(t, first.Wait())
}
