//go:build linux

package e2e

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/cli"
	"github.com/lucid-project/base-images/lucidbase/rootfs/debian"
	"github.com/lucid-project/base-images/lucidbase/verify"
)

var update = flag.Bool("update", false, "write the golden files")

const systemPath = "PATH=/usr/local/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// pythonConfig is that of the official python:3.11-slim. The key is a fingerprint
// and the hash a source's: neither is a secret.
var pythonConfig = v1.Config{Cmd: []string{"python3"}, Env: []string{
	systemPath, "LANG=C.UTF-8", "PYTHON_VERSION=3.11.2",
	"GPG_KEY=A035C8C19219BA821ECEA86B64E628F8D684696D",
	"PYTHON_SHA256=46a7bbbc9ab9d3d5c1c58ab4fe0ff3e1b06e1cf7e2f8a0d1dc3a5a2a8dd5b3c4",
}}

// What is found in Debian's own userland, and in one with Python, pip and a
// virtual environment, as python:3.11-slim has them. Whoever updates the golden
// files judges each line: right, or a fault of a rule.
func TestLongVerifyDebian(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("downloads a Debian")
	}
	if _, err := exec.LookPath("debootstrap"); err != nil || os.Geteuid() != 0 {
		missing(t, "debootstrap is needed, and root")
	}
	cache := t.TempDir()
	debian := debootstrap(t, cache)
	golden(t, "debian", verifyRoot(t, debian, "amd64", v1.Config{Cmd: []string{"bash"}, Env: []string{systemPath}}))

	python := debootstrap(t, cache, "python3", "python3-pip", "python3-venv", "ca-certificates")
	out, err := exec.Command("chroot", python, "python3", "-m", "venv", "/opt/venv").CombinedOutput()
	require.NoError(t, err, string(out))
	golden(t, "python-slim", verifyRoot(t, python, "amd64", pythonConfig))
}

// debootstrap makes a root directory of Debian 12's smallest set of packages and
// some others, for AMD64 as the golden files are.
func debootstrap(t *testing.T, cache string, packages ...string) string {
	t.Helper()
	if out, err := exec.Command("dpkg", "--print-architecture").Output(); err != nil || strings.TrimSpace(string(out)) != "amd64" {
		t.Skip("the packages' own scripts are run: on AMD64 alone")
	}
	root := filepath.Join(t.TempDir(), "root")
	args := []string{"--variant=minbase", "--cache-dir=" + cache}
	if len(packages) > 0 {
		args = append(args, "--include="+strings.Join(packages, ","))
	}
	args = append(args, "bookworm", root)
	mirrors, err := debian.Mirrors(os.DirFS("/"), os.Getenv("LUCID_DEBIAN_MIRROR"), "")
	require.NoError(t, err)
	if main := mirrors["debian"]; len(main) > 0 {
		args = append(args, main[0])
	}
	out, err := exec.Command("debootstrap", args...).CombinedOutput()
	require.NoError(t, err, string(out))
	return root
}

// What is found in the official python:3.11-alpine's root directory.
func TestVerifyAlpine(t *testing.T) {
	dir := os.Getenv("LUCID_ALPINE_FIXTURE")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "fixtures", "alpine")
	}
	for _, arch := range []string{"amd64", "arm64"} {
		t.Run(arch, func(t *testing.T) {
			packed := filepath.Join(dir, "rootfs-python3.11-alpine-"+arch+".tar.xz")
			if _, err := os.Stat(packed); err != nil {
				t.Skip("the fixture is not here; LUCID_ALPINE_FIXTURE names its directory")
			}
			layer := filepath.Join(t.TempDir(), "layer.tar")
			out, err := exec.Command("xz", "-dc", packed).Output()
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(layer, out, 0o600))
			golden(t, "alpine", verifyLayer(t, layer, arch, pythonConfig))
		})
	}
}

func verifyRoot(t *testing.T, root, arch string, config v1.Config) []verify.Finding {
	t.Helper()
	layer := filepath.Join(t.TempDir(), "layer.tar")
	out, err := exec.Command("tar", "--numeric-owner", "--xattrs", "--xattrs-include=*", "-C", root, "-cf", layer, ".").CombinedOutput()
	require.NoError(t, err, string(out))
	return verifyLayer(t, layer, arch, config)
}

// verifyLayer runs the command over an archive of an image of one layer.
func verifyLayer(t *testing.T, layer, arch string, config v1.Config) []verify.Finding {
	t.Helper()
	l, err := tarball.LayerFromFile(layer)
	require.NoError(t, err)
	img, err := mutate.ConfigFile(empty.Image, &v1.ConfigFile{OS: "linux", Architecture: arch, Config: config})
	require.NoError(t, err)
	img, err = mutate.Append(img, mutate.Addendum{Layer: l, History: v1.History{CreatedBy: "ADD rootfs.tar / # buildkit"}})
	require.NoError(t, err)
	archive := filepath.Join(t.TempDir(), "image.tar")
	require.NoError(t, tarball.WriteToFile(archive, name.MustParseReference("lucid/image"), img))

	var out, errOut bytes.Buffer
	status := cli.Run(t.Context(), []string{"verify", "--format", "json", archive}, cli.Streams{Out: &out, Err: &errOut, Getenv: os.Getenv})
	require.Equal(t, 1, status, errOut.String())
	var report struct {
		Images []struct{ Findings []verify.Finding }
	}
	require.NoError(t, json.Unmarshal(out.Bytes(), &report))
	require.Len(t, report.Images, 1)
	return report.Images[0].Findings
}

var (
	versions = regexp.MustCompile(`\d+(\.\d+)+`)
	triplet  = regexp.MustCompile(`(x86_64|aarch64)-linux-(gnu|musl)`)
)

// golden compares the rules and paths found with a file. Versions in paths are
// left out: Debian's point releases change them.
func golden(t *testing.T, name string, found []verify.Finding) {
	t.Helper()
	var lines []string
	for _, f := range found {
		path := triplet.ReplaceAllString(versions.ReplaceAllString(f.Path, "N"), "CPU-linux-$2")
		lines = append(lines, f.Rule+" "+path)
	}
	slices.Sort(lines)
	got := strings.Join(lines, "\n") + "\n"
	file := filepath.Join("testdata", "verify", name+".golden")
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), got, "look at each line that changed; if it is right, run go test ./internal/e2e -run TestVerify -update")
}
