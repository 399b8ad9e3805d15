package cli

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase/lock"
)

func TestLockUsage(t *testing.T) {
	for args, says := range map[string]string{
		"lock -o x.lock.txt":                     "name it with -r",
		"lock --target musllinux_1_2_x86_64":     "name it with -r",
		"lock -r r.txt --target linux/arm64":     "not one of manylinux_2_36_x86_64",
		"lock -r r.txt --output ./r.txt":         "that is the list itself",
		"lock -r r.txt --dir lucidbase/lock":     "--dir is for the library's own lists",
		"lock -r r.txt --cache-limit everything": "--cache-limit",
	} {
		status, out, errOut := run(t, nil, strings.Fields(args)...)
		require.Equal(t, statusUsage, status, errOut)
		require.Contains(t, errOut, says)
		require.Empty(t, out)
	}
}

func TestOutFile(t *testing.T) {
	for list, want := range map[string]string{
		"requirements.txt": "requirements.lock.txt", "a.b/service.in": "a.b/service.lock.txt", "list": "list.lock.txt",
	} {
		require.Equal(t, want, ownFlags{list: list}.outFile())
	}
	require.Equal(t, "x.txt", ownFlags{list: "r.txt", out: "x.txt"}.outFile())
}

func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		file := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
	}
}

// A file that is missing is reported at once, with what else can be, and no engine is
// opened: there is none at this address.
func TestLockIncomplete(t *testing.T) {
	dir := t.TempDir()
	files := map[string]string{"all.txt": "--use-feature=fast-deps\nlogging\n-r ${LUCID_TEST_DIR}/x.txt\n-c there/limits.txt\nredis\n", "there/limits.txt": "-c ../gone.txt\nidna<4\n"}
	want := []string{
		"lucidbase: warning: all.txt: line 1: --use-feature=fast-deps: it is about pip, which does not resolve here",
		"lucidbase: all.txt: line 2: logging: part of Python, remove it",
		"lucidbase: all.txt: line 3: -r ${LUCID_TEST_DIR}/x.txt: the variable ${LUCID_TEST_DIR} is not set",
	}
	for i := range 28 {
		files["all.txt"] += fmt.Sprintf("-r part%d.txt\n", i)
		if i%7 == 0 {
			files[fmt.Sprintf("part%d.txt", i)] = "idna\n"
			continue
		}
		want = append(want, fmt.Sprintf("lucidbase: all.txt: line %d: -r part%d.txt: there is no file part%d.txt", i+6, i, i))
	}
	want = append(want, "lucidbase: there/limits.txt: line 1: -c ../gone.txt: there is no file gone.txt")
	write(t, dir, files)
	t.Chdir(dir)
	status, out, errOut := run(t, nil, "lock", "-r", "all.txt", "--suggest", "--engine", "unix:///nowhere")
	require.Equal(t, statusFailed, status)
	require.Empty(t, out)
	require.Equal(t, want, strings.Split(strings.TrimSpace(errOut), "\n"))
	require.NoFileExists(t, "all.suggested.txt")

	status, _, errOut = run(t, nil, "lock", "-r", "none.txt", "--engine", "unix:///nowhere")
	require.Equal(t, statusFailed, status)
	require.Contains(t, errOut, "reading none.txt: no such file or directory")
}

func TestWriteOwn(t *testing.T) {
	dir := t.TempDir()
	var errOut bytes.Buffer
	s := Streams{Err: &errOut}
	want := lock.Packages{Targets: lock.WheelTargets(), Requirements: lock.Requirements{{
		Name: "psutil", Version: "5.9.6", Hashes: []string{"sha256:" + strings.Repeat("a", 64)},
		Sdist: &lock.Sdist{SHA256: strings.Repeat("a", 64), Targets: []string{"any"}},
	}}}
	require.NoError(t, writeOwn(dir, "r.lock.txt", "r.txt", want))
	require.Equal(t, want, readOwn(s, dir, "r.lock.txt"))
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, 2)
	require.Empty(t, errOut.String())

	// As an earlier version left it.
	require.NoError(t, os.Remove(filepath.Join(dir, "r.lock.toml")))
	require.Empty(t, readOwn(s, dir, "r.lock.txt"))
	require.Contains(t, errOut.String(), "lucidbase: resolving from nothing: r.lock.txt: there is no r.lock.toml: ")
	write(t, dir, map[string]string{"r.lock.txt": "psutil\n"})
	require.Empty(t, readOwn(s, dir, "r.lock.txt"))
	require.Contains(t, errOut.String(), "lucidbase: resolving from nothing: r.lock.txt: a list without hashes")
	require.Error(t, writeOwn(filepath.Join(dir, "none"), "r.lock.txt", "r.txt", lock.Packages{}))
}
