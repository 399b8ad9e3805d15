//go:build linux

package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/lock"
)

const systemFile = `services:
  files:
    base: bare
    lock: requirements.lock.txt
    system: [libpq5, libmagic1, libblas3, tini]
    source: [{from: src, to: /app/src}]
    command: [/usr/bin/tini, --, python, -m, src.main]
`

// Both libraries are found by ctypes.util.find_library, which asks ldconfig.
const systemProgram = `import ctypes.util

import magic
import psycopg

print(*(ctypes.util.find_library(name) for name in ("pq", "magic", "ssl", "blas", "nothing")))
print(magic.from_buffer(b"%PDF-1.4\n", mime=True), psycopg.pq.__impl__, psycopg.pq.version() // 10000)
ctypes.CDLL("libblas.so.3")
`

// A service has Debian packages of its own on both platforms: they are locked, built,
// judged, and used.
func TestLongSystem(t *testing.T) {
	s := needEngine(t)
	dir := t.TempDir()
	for name, text := range map[string]string{"lucidbase.yaml": systemFile, "requirements.txt": "psycopg==3.2.3\npython-magic==0.4.27\n", "src/main.py": systemProgram} {
		file := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
	}
	run := func(args ...string) result {
		return s.run(t, command{dir: dir, args: append(args, "--cache-dir", s.lockCache(), "--progress", "quiet")})
	}
	res := run("lock", "-f", "lucidbase.yaml")
	require.Zero(t, res.code, res.stderr)
	require.Contains(t, res.stdout, "debian libpq5 added ")
	require.NotContains(t, res.stdout, "libssl3", "the base has it")
	require.NotContains(t, res.stdout, "debian tini", "the base has it")
	res = run("lock", "-f", "lucidbase.yaml", "--check")
	require.Zero(t, res.code, res.stdout+res.stderr)
	locked, err := lock.ReadSystem(os.DirFS(dir), "files.system.lock.json")
	require.NoError(t, err)
	require.Equal(t, []string{"libblas3", "libmagic1", "libpq5", "tini"}, locked.Packages)

	res = run("build", "-f", "lucidbase.yaml")
	require.Zero(t, res.code, res.stderr)
	for _, p := range lucidbase.AllPlatforms() {
		img := platformImage(t, onlyIndex(t, filepath.Join(dir, "dist/files")), "linux", p.Architecture)
		c := newContainer(t, img)
		ran := c.run(t, c.config.Cmd...)
		require.Equal(t, "libpq.so.5 libmagic.so.1 libssl.so.3 libblas.so.3 None\napplication/pdf python 15\n", ran.stdout, ran.stderr)
	}
	res = s.run(t, command{dir: dir, args: []string{"verify", "dist/files"}})
	require.Zero(t, res.code, res.stdout+res.stderr)
}

// What cannot be had is said when it is asked for, and nothing is written.
func TestLongSystemRefused(t *testing.T) {
	t.Parallel()
	s := needEngine(t)
	dir := t.TempDir()
	for packages, want := range map[string]string{
		"libpq6":         "package libpq6: in none of the suites; did you mean libpq5? (linux/amd64, linux/arm64)",
		"dash":           "package dash: /usr/bin/dash: shell: ",
		"openssh-client": "ssh-keysign: is setuid\nlucidbase: leave that package out",
		"libpq-dev":      "package libpq-dev: it is to compile with; did you mean libpq5?",
		"python3-yaml":   "package python3-yaml: Python's packages are those of a list of requirements",
		// The link is the base's own.
		"python-is-python3": "package python-is-python3: entry usr/bin/python: the base has it of package lucidbase",
	} {
		res := s.run(t, command{dir: dir, args: []string{"lock", "--system", packages, "--cache-dir", s.lockCache(), "--progress", "quiet"}})
		require.Equal(t, 1, res.code, res.stderr)
		require.Contains(t, res.stderr, want)
		require.False(t, strings.Contains(res.stderr, "\ngoroutine "), res.stderr)
	}
	require.NoFileExists(t, filepath.Join(dir, "system.lock.json"))
}
