//go:build linux

package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/mutate"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/alpinetest"
	"github.com/lucid-project/base-images/internal/dockertest"
	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/lock"
	"github.com/lucid-project/base-images/lucidbase/lucidtest"
)

// recipe is the Dockerfile of the README.
func recipe(t *testing.T) string {
	t.Helper()
	readme, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	blocks := regexp.MustCompile("(?s)```dockerfile\n(.*?)```").FindAllSubmatch(readme, -1)
	require.Len(t, blocks, 1)
	return string(blocks[0][1])
}

// downloadWheel puts a wheel that no base has into a directory.
func downloadWheel(t *testing.T, dir string) {
	t.Helper()
	output(t, "pip3", "download", "--quiet", "--only-binary", ":all:", "--no-deps", "-d", dir, "itsdangerous==2.2.0")
}

// packagesContext is a service with a package that the base has, and one that it lacks, with
// the wheel of that: the build of the image has no network.
func packagesContext(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	write := func(name, text string) {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
	}
	write("requirements.txt", "structlog\nitsdangerous==2.2.0\n")
	write("src/__init__.py", "")
	write("src/main.py", "import fastapi, itsdangerous, os, structlog\nprint(itsdangerous.__file__, structlog.__file__, os.getuid())\n")
	downloadWheel(t, filepath.Join(dir, "wheels"))
	text := strings.Replace(recipe(t), "AS build\n", "AS build\nCOPY wheels /wheels\nENV PIP_NO_INDEX=1 PIP_FIND_LINKS=/wheels\n", 1)
	write("Dockerfile", text)
	return dir
}

// The README's Dockerfile does what it says, by a real Docker: what is installed in the twin
// runs in the base, whose contract the result fulfils.
func TestDockerfileOnATwin(t *testing.T) {
	t.Parallel()
	s := needEngine(t)
	docker := dockertest.Docker{}.Start(t)
	dir := t.TempDir()
	images := filepath.Join(dir, "images.tar")
	s.buildNamed(t, command{args: []string{
		"python-base", "python-base-dev", "--cache-dir", s.cache(), "--platform", "linux/" + runtime.GOARCH,
		"--output", images, "--output-format", "docker",
	}})
	docker.Run(t, "docker", "load", "--input", images)
	docker.Run(t, "docker", "build", "--tag", "service", packagesContext(t))
	run := []string{"docker", "run", "--rm", "--read-only", "--network", "none"}
	require.Equal(t, "/opt/packages/lib/python3.11/site-packages/itsdangerous/__init__.py /opt/venv/lib/python3.11/site-packages/structlog/__init__.py 65532\n", docker.Run(t, append(run, "service")...))

	saved := filepath.Join(dir, "service.tar")
	docker.Run(t, "docker", "save", "--output", saved, "service")
	res := s.run(t, command{args: []string{"verify", saved}})
	require.Zero(t, res.code, res.stdout+res.stderr)

	// Debugging: the twin beside a container that has no shell.
	docker.Run(t, "docker", "run", "--detach", "--name", "web", "--network", "none", "--volume", "/data", "service", "python", "-c", "import time; time.sleep(600)")
	beside := []string{"docker", "run", "--rm", "--pid", "container:web", "--network", "container:web", "--volumes-from", "web", "lucid/python-base-dev"}
	require.Contains(t, docker.Run(t, append(beside, "bash", "-c", "cat /proc/1/cmdline; ls -d /data")...), "tini")
	require.Contains(t, docker.Run(t, append(beside, "cat", "/proc/1/root/app/src/main.py")...), "import fastapi")

	// What is no runtime image does not pass for one.
	twin := filepath.Join(dir, "twin.tar")
	docker.Run(t, "docker", "save", "--output", twin, "lucid/python-base-dev")
	res = s.run(t, command{args: []string{"verify", twin}})
	require.Equal(t, 1, res.code)
	require.Contains(t, res.stdout, "twin for build stages")
	res = s.run(t, command{args: []string{"verify", "--dev", twin}})
	require.Zero(t, res.code, res.stdout+res.stderr)
}

// requireTwin runs a twin's shell and pip, which installs where its user may write, and
// judges its layout by both contracts.
func (s shared) requireTwin(t *testing.T, dir string, p ocispecs.Platform) {
	t.Helper()
	img := platformImage(t, onlyIndex(t, dir), p.OS, p.Architecture)
	config, err := img.ConfigFile()
	require.NoError(t, err)
	config = config.DeepCopy()
	config.Config.Volumes = map[string]struct{}{"/opt/packages": {}} // the rest is read-only
	img, err = mutate.ConfigFile(img, config)
	require.NoError(t, err)
	wheels := t.TempDir()
	require.NoError(t, os.Chmod(wheels, 0o755))
	downloadWheel(t, wheels)
	const script = `set -e
pip install --quiet --no-index --find-links /media itsdangerous
python -c 'import itsdangerous, sys, aiohttp; print(itsdangerous.__file__, aiohttp.__name__)'
python -m pip --version | cut -d' ' -f1
id -u`
	c := lucidtest.RunImage(t, img, lucidtest.Mount(wheels, "/media"), lucidtest.Args("sh", "-c", script), lucidtest.Timeout(runLimit))
	require.Zero(t, c.Wait(), c.Logs())
	require.Equal(t, "/opt/packages/lib/python3.11/site-packages/itsdangerous/__init__.py aiohttp\npip\n65532\n", c.Logs())
	res := s.run(t, command{args: []string{"verify", dir}})
	require.Equal(t, 1, res.code)
	require.Contains(t, res.stdout, "twin for build stages")
	res = s.run(t, command{args: []string{"verify", "--dev", dir}})
	require.Zero(t, res.code, res.stdout+res.stderr)
}

// Twins work on the CPU that this machine does not have.
func TestLongTwinsOnTheOtherCPU(t *testing.T) {
	t.Parallel()
	s := needEngine(t)
	dist := t.TempDir()
	im, mirrors := alpinetest.Image(t)
	own := s.withLock(t, lock.AlpineFile, im.Format())
	names := []string{"python-base-dev", "alpine-base-dev"}
	own.buildNamed(t, command{
		args: append([]string{"--cache-dir", s.cache(), "--output", dist}, names...),
		env:  []string{"LUCID_IMAGE_MIRROR=" + strings.Join(mirrors, ",")},
	})
	for _, name := range names {
		s.requireTwin(t, filepath.Join(dist, name), otherCPU())
	}
}

// otherCPU is the platform that this machine has to emulate.
func otherCPU() ocispecs.Platform {
	if runtime.GOARCH == "arm64" {
		return lucidbase.LinuxAMD64
	}
	return lucidbase.LinuxARM64
}
