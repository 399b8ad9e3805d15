//go:build linux

package e2e

import (
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/dockertest"
)

// production is how services run: nothing can be written, and nothing is allowed.
var production = []string{"run", "--rm", "--read-only", "--cap-drop", "all", "--security-opt", "no-new-privileges", "--network", "none", "--user", "65532:65532"}

// requirePython runs a loaded image by "docker" or "podman --remote".
func requirePython(t *testing.T, d *dockertest.Daemon, command string, ref string) {
	t.Helper()
	argv := append(append(strings.Fields(command), production...), ref, "python", "-c", "import fastapi, cryptography; print('it runs')")
	require.Equal(t, "it runs\n", d.Run(t, argv...))
}

// load builds python-base from the shared cache into an engine.
func (s shared) load(t *testing.T, d *dockertest.Daemon, args ...string) built {
	t.Helper()
	return s.buildNamed(t, command{
		args: append([]string{"python-base", "--cache-dir", s.cache()}, args...),
		env:  []string{"DOCKER_HOST=" + d.Host, "CONTAINER_HOST=" + d.Host, "DOCKER_TLS_VERIFY="},
	})
}

// What is built is in Docker at once, and in a tar that Docker takes.
func TestLoad(t *testing.T) {
	s := needEngine(t)
	want := s.firstBuild(t).digests()
	d := dockertest.Docker{}.Start(t)
	require.Equal(t, want["python-base"], s.load(t, d, "--load").Images[0].Digest)
	requirePython(t, d, "docker", "lucid/python-base")
	id := d.Run(t, "docker", "images", "--quiet", "--no-trunc", "lucid/python-base:latest")

	file := filepath.Join(t.TempDir(), "images.tar")
	s.load(t, d, "--output", file, "--output-format", "docker", "--platform", "linux/"+runtime.GOARCH)
	d.Run(t, "docker", "rmi", "--force", strings.TrimSpace(id))
	d.Run(t, "docker", "load", "--input", file)
	requirePython(t, d, "docker", "lucid/python-base")
	require.Equal(t, id, d.Run(t, "docker", "images", "--quiet", "--no-trunc", "lucid/python-base:latest"))
}

// Docker with containerd's store has both platforms, under the digest of the registry.
func TestLongLoadIntoContainerdStore(t *testing.T) {
	s := needEngine(t)
	want := s.firstBuild(t).digests()
	d := dockertest.Docker{Version28: true, ContainerdStore: true}.Start(t)
	s.load(t, d, "--load")
	requirePython(t, d, "docker", "lucid/python-base")
	require.Equal(t, want["python-base"]+"\n", d.Run(t, "docker", "images", "--quiet", "--no-trunc", "lucid/python-base"))
	d.Run(t, "docker", "save", "--platform", "linux/arm64", "--output", filepath.Join(t.TempDir(), "arm64.tar"), "lucid/python-base") // it is whole

	file := filepath.Join(t.TempDir(), "images.tar")
	s.load(t, d, "--output", file)
	d.Run(t, "docker", "rmi", "--force", "lucid/python-base")
	d.Run(t, "docker", "load", "--input", file)
	requirePython(t, d, "docker", "lucid/python-base")
}

func TestLongLoadIntoPodman(t *testing.T) {
	s := needEngine(t)
	want := s.firstBuild(t).digests()
	d := dockertest.Podman(t)
	s.load(t, d, "--load=podman")
	requirePython(t, d, "podman --remote", "lucid/python-base")
	require.Equal(t, want["python-base"]+"\n", d.Run(t, "podman", "--remote", "images", "--format", "{{.Digest}}", "lucid/python-base"))

	file := filepath.Join(t.TempDir(), "images.tar")
	s.load(t, d, "--output", file)
	d.Run(t, "podman", "--remote", "rmi", "--force", "lucid/python-base")
	d.Run(t, "podman", "--remote", "load", "--input", file)
	requirePython(t, d, "podman --remote", "lucid/python-base")
}

func TestLongLoadIntoContainerd(t *testing.T) {
	s := needEngine(t)
	want := s.firstBuild(t).digests()
	d := dockertest.Containerd(t)
	ctr := func(args ...string) string {
		return d.Run(t, append([]string{"ctr", "--address", d.Socket(), "--namespace", "k8s.io"}, args...)...)
	}
	const ref = "docker.io/lucid/python-base:latest"
	s.load(t, d, "--load=containerd:"+d.Socket())
	require.Contains(t, ctr("images", "list"), want["python-base"])
	require.Contains(t, ctr("images", "check"), "complete")
	require.Equal(t, "it runs\n", ctr("run", "--rm", "--read-only", ref, "test", "python", "-c", "import fastapi, cryptography; print('it runs')"))

	file := filepath.Join(t.TempDir(), "images.tar")
	s.load(t, d, "--output", file)
	ctr("images", "remove", ref)
	ctr("images", "import", "--all-platforms", file)
	require.Contains(t, ctr("images", "list"), want["python-base"])
}
