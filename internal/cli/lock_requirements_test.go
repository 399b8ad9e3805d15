package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase/lock"
	"github.com/lucid-project/base-images/lucidbase/lock/resolve"
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

func TestReadList(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{
		"services/a/requirements.txt": "-r ../common.txt\r\n  --requirement=more/dev.txt # these too\n-c missing.txt\n# -r no.txt\nrequests\n",
		"services/common.txt":         "-c a/requirements.txt\n--constraint limits.txt\nidna\n",
		"services/limits.txt":         "idna<4\n",
		"services/a/more/dev.txt":     "pytest\n",
		"services/a/no.txt":           "no\n",
	})
	name, files, err := readList(filepath.Join(dir, "services/a/requirements.txt"))
	require.NoError(t, err)
	require.Equal(t, "a/requirements.txt", name)
	var names []string
	for n := range files {
		names = append(names, n)
	}
	require.ElementsMatch(t, []string{"a/requirements.txt", "common.txt", "limits.txt", "a/more/dev.txt"}, names)
	require.Equal(t, "idna<4\n", string(files["limits.txt"]))

	// As PowerShell's redirection and Notepad write it.
	for _, text := range []string{"\xff\xfei\x00d\x00n\x00a\x00", "\xfe\xff\x00i\x00d\x00n\x00a", "\xef\xbb\xbfidna", "idna"} {
		write(t, dir, map[string]string{"encoded.txt": text})
		_, files, err = readList(filepath.Join(dir, "encoded.txt"))
		require.NoError(t, err)
		require.Equal(t, "idna", string(files["encoded.txt"]))
	}
	name, files, err = readList(filepath.Join(dir, "services/limits.txt"))
	require.NoError(t, err)
	require.Equal(t, "limits.txt", name)
	require.Len(t, files, 1)
	_, _, err = readList(filepath.Join(dir, "none.txt"))
	require.ErrorIs(t, err, os.ErrNotExist)
}

// A lock without sources leaves none of an earlier one behind.
func TestWriteOwn(t *testing.T) {
	dir := t.TempDir()
	var errOut bytes.Buffer
	s := Streams{Err: &errOut}
	reqs := lock.Requirements{{Name: "psutil", Version: "5.9.6", Hashes: []string{"sha256:" + strings.Repeat("a", 64)}}}
	sources := lock.Sources{{Name: "psutil", Version: "5.9.6", SHA256: strings.Repeat("b", 64), Targets: []string{"any"}}}
	for _, want := range []resolve.Locked{{Requirements: reqs, Sources: sources}, {Requirements: reqs}} {
		require.NoError(t, writeOwn(dir, "r.lock.txt", "r.txt", want))
		got := readOwn(s, dir, "r.lock.txt")
		require.Equal(t, want.Requirements, got.Requirements)
		require.Equal(t, want.Sources.Format(), got.Sources.Format())
		require.Empty(t, resolve.OwnChanges(want, got))
	}
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, 1)
	require.Empty(t, errOut.String())

	write(t, dir, map[string]string{"r.lock.txt": "psutil\n"})
	require.Empty(t, readOwn(s, dir, "r.lock.txt"))
	require.Contains(t, errOut.String(), "lucidbase: resolving from nothing: parsing r.lock.txt: line 1")
	require.Error(t, writeOwn(filepath.Join(dir, "none"), "r.lock.txt", "r.txt", resolve.Locked{}))
}

// writeLocks keeps no sources that a set has not.
func TestWriteLocks(t *testing.T) {
	own, err := lock.Default()
	require.NoError(t, err)
	set, dir := *own, t.TempDir()
	stale := filepath.Join(dir, lock.Standard.SourcesFile())
	set.Sources = map[lock.Tier]lock.Sources{lock.Standard: {{
		Name: "pyyaml", Version: own.Python[lock.Standard][0].Version, SHA256: strings.Repeat("a", 64), Targets: []string{"any"},
	}}}
	require.NoError(t, writeLocks(dir, &set))
	require.FileExists(t, stale)
	set.Sources = nil
	require.NoError(t, writeLocks(dir, &set))
	require.NoFileExists(t, stale)
	read, err := lock.Read(os.DirFS(dir))
	require.NoError(t, err)
	require.Empty(t, resolve.Changes(&set, read))
}
