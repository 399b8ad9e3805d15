//go:build unix

package localdir_test

import (
	"context"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/localdir"
	"github.com/lucid-project/base-images/lucidbase"
)

// write makes files below a new directory, by name.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		require.NoError(t, os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
	}
	return dir
}

// sent lists the files and links of a directory as they are sent, with their modes.
func sent(t *testing.T, l lucidbase.Local) map[string]string {
	t.Helper()
	tree, err := localdir.Read(t.Context(), l)
	require.NoError(t, err)
	got := map[string]string{}
	require.NoError(t, tree.Walk(t.Context(), "/", func(name string, d fs.DirEntry, err error) error {
		require.NoError(t, err)
		info, err := d.Info()
		require.NoError(t, err)
		if !d.IsDir() {
			got[name] = info.Mode().String()
		}
		return nil
	}))
	return got
}

func names(t *testing.T, l lucidbase.Local) (all []string) {
	t.Helper()
	for name := range sent(t, l) {
		all = append(all, name)
	}
	return all
}

func TestPatterns(t *testing.T) {
	files := map[string]string{
		"main.py": "", "a/b.py": "", "a/c.txt": "", "a/deep/d.py": "", "logs/x.log": "", "logs/keep.log": "",
	}
	ignore := "# comment\n**/*.txt\nlogs\n!logs/keep.log\n.dockerignore\n"
	for name, c := range map[string]struct {
		ignore           string
		include, exclude []string
		want             []string
	}{
		"everything":       {want: []string{"main.py", "a/b.py", "a/c.txt", "a/deep/d.py", "logs/x.log", "logs/keep.log"}},
		"a .dockerignore":  {ignore: ignore, want: []string{"main.py", "a/b.py", "a/deep/d.py", "logs/keep.log"}},
		"included":         {include: []string{"a", "*.py"}, want: []string{"main.py", "a/b.py", "a/c.txt", "a/deep/d.py"}},
		"included by kind": {include: []string{"**/*.py"}, exclude: []string{"a/deep"}, want: []string{"main.py", "a/b.py"}},
		"all three":        {ignore: ignore, include: []string{"a", "logs"}, exclude: []string{"a/deep"}, want: []string{"a/b.py", "logs/keep.log"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := write(t, files)
			mem := fstest.MapFS{}
			for name := range files {
				mem[name] = &fstest.MapFile{}
			}
			if c.ignore != "" {
				require.NoError(t, os.WriteFile(filepath.Join(dir, ".dockerignore"), []byte(c.ignore), 0o600))
				mem[".dockerignore"] = &fstest.MapFile{Data: []byte(c.ignore)}
			}
			require.ElementsMatch(t, c.want, names(t, lucidbase.Local{Dir: dir, Include: c.include, Exclude: c.exclude}))
			require.ElementsMatch(t, c.want, names(t, lucidbase.Local{FS: mem, Include: c.include, Exclude: c.exclude}))
		})
	}
}

// Where a directory has no .dockerignore, the nearest above it in its repository counts,
// and none above that.
func TestIgnoreOfTheRepository(t *testing.T) {
	dir := write(t, map[string]string{
		".dockerignore": "**\n", "repo/.git/HEAD": "", "repo/.dockerignore": "*\n!svc\nsvc/tmp\n",
		"repo/svc/main.py": "", "repo/svc/tmp/x": "", "repo/lib/a.py": "",
	})
	require.Equal(t, []string{"main.py"}, names(t, lucidbase.Local{Dir: filepath.Join(dir, "repo/svc")}))
	_, err := localdir.Read(t.Context(), lucidbase.Local{Dir: filepath.Join(dir, "repo/lib")})
	require.ErrorContains(t, err, "repo/lib: no files in it that "+filepath.Join(dir, "repo/.dockerignore")+" let through")

	require.NoError(t, os.WriteFile(filepath.Join(dir, "repo/svc/.dockerignore"), []byte("main.py\n"), 0o600))
	require.ElementsMatch(t, []string{"tmp/x", ".dockerignore"}, names(t, lucidbase.Local{Dir: filepath.Join(dir, "repo/svc")}))

	deep := filepath.Join(dir, "repo/svc/src/app")
	require.NoError(t, os.MkdirAll(deep, 0o700))
	for _, name := range []string{"a.py", "main.py", "b.txt"} {
		require.NoError(t, os.WriteFile(filepath.Join(deep, name), nil, 0o600))
	}
	require.ElementsMatch(t, []string{"a.py", "main.py", "b.txt"}, names(t, lucidbase.Local{Dir: deep}), "svc/main.py is another one")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "repo/svc/.dockerignore"), []byte("src/*/main.py\n*/*/*.txt\n"), 0o600))
	require.Equal(t, []string{"a.py"}, names(t, lucidbase.Local{Dir: deep}), "patterns are below the directory that the file is in")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "repo/svc/src/.dockerignore"), []byte("*/a.py\n"), 0o600))
	require.ElementsMatch(t, []string{"main.py", "b.txt"}, names(t, lucidbase.Local{Dir: deep}))

	require.NoError(t, os.RemoveAll(filepath.Join(dir, "repo/.dockerignore")))
	require.Equal(t, []string{"a.py"}, names(t, lucidbase.Local{Dir: filepath.Join(dir, "repo/lib")}))
}

func digestOf(t *testing.T, l lucidbase.Local) string {
	t.Helper()
	tree, err := localdir.Read(t.Context(), l)
	require.NoError(t, err)
	return tree.Digest().String()
}

// Times, owners, umask and empty directories are no part of what is sent.
func TestDigestIsOfTheContent(t *testing.T) {
	dir := write(t, map[string]string{"a/run.py": "print(1)\n", "b.py": "x = 1\n"})
	before := digestOf(t, lucidbase.Local{Dir: dir})
	mem := fstest.MapFS{"a/run.py": {Data: []byte("print(1)\n")}, "b.py": {Data: []byte("x = 1\n"), ModTime: time.Unix(1, 0)}}
	require.Equal(t, before, digestOf(t, lucidbase.Local{FS: mem}))

	require.NoError(t, os.Chmod(filepath.Join(dir, "b.py"), 0o600))
	require.NoError(t, os.Chmod(filepath.Join(dir, "a"), 0o700))
	require.NoError(t, os.Chtimes(filepath.Join(dir, "b.py"), time.Unix(7, 0), time.Unix(7, 0)))
	require.NoError(t, os.Mkdir(filepath.Join(dir, "empty"), 0o755))
	if os.Geteuid() == 0 {
		require.NoError(t, os.Chown(filepath.Join(dir, "b.py"), 7, 7))
	}
	require.Equal(t, before, digestOf(t, lucidbase.Local{Dir: dir}))

	require.NoError(t, os.Chmod(filepath.Join(dir, "b.py"), 0o700))
	executable := digestOf(t, lucidbase.Local{Dir: dir})
	require.NotEqual(t, before, executable)
	require.Equal(t, "-rwxr-xr-x", sent(t, lucidbase.Local{Dir: dir})["b.py"])

	require.NoError(t, os.Chmod(filepath.Join(dir, "b.py"), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "b.py"), []byte("x = 2\n"), 0o600))
	require.NoError(t, os.Chtimes(filepath.Join(dir, "b.py"), time.Unix(7, 0), time.Unix(7, 0)))
	require.NotEqual(t, before, digestOf(t, lucidbase.Local{Dir: dir}), "size and time are what they were")
	require.NoError(t, os.Rename(filepath.Join(dir, "b.py"), filepath.Join(dir, "c.py")))
	require.NotEqual(t, before, digestOf(t, lucidbase.Local{Dir: dir}))
}

func TestLinks(t *testing.T) {
	dir := write(t, map[string]string{"a/b.py": ""})
	require.NoError(t, os.Symlink("../a/b.py", filepath.Join(dir, "a/same.py")))
	require.Equal(t, map[string]string{"a/b.py": "-rw-r--r--", "a/same.py": "Lrwxrwxrwx"}, sent(t, lucidbase.Local{Dir: dir}))

	require.NoError(t, os.Symlink("../../x", filepath.Join(dir, "a/out")))
	require.NoError(t, os.Symlink("/etc/passwd", filepath.Join(dir, "root")))
	_, err := localdir.Read(t.Context(), lucidbase.Local{Dir: dir})
	require.ErrorContains(t, err, filepath.Join(dir, "a/out")+": the link leads out of the directory: ../../x\n")
	require.ErrorContains(t, err, filepath.Join(dir, "root")+": the link leads out of the directory: /etc/passwd")
	require.Len(t, names(t, lucidbase.Local{Dir: dir, Exclude: []string{"**/out", "root"}}), 2)
}

func TestCannotBeSent(t *testing.T) {
	dir := write(t, map[string]string{"file": ""})
	socket := t.TempDir()
	require.NoError(t, syscall.Mkfifo(filepath.Join(socket, "pipe"), 0o600))
	for text, l := range map[string]lucidbase.Local{
		"no such file or directory":                 {Dir: filepath.Join(dir, "none")},
		"file: not a directory":                     {Dir: filepath.Join(dir, "file")},
		"neither a path nor a file system, or both": {},
		"no files in it":                            {Dir: t.TempDir()},
		"that Exclude let through":                  {Dir: dir, Exclude: []string{"*"}},
		"Include: syntax error in pattern":          {Dir: dir, Include: []string{"[a"}},
		"pipe: it is no file, directory or link":    {Dir: socket},
	} {
		_, err := localdir.Read(t.Context(), l)
		require.ErrorContains(t, err, text)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := localdir.Read(ctx, lucidbase.Local{Dir: dir})
	require.ErrorIs(t, err, context.Canceled)
}

// What is sent is what was read, or an error: BuildKit takes a file that cannot be
// opened for an empty one.
func TestChangedWhileItIsSent(t *testing.T) {
	dir := write(t, map[string]string{"a.py": "x = 1\n", "b.py": "y = 1\n", "c.py": "z = 1\n"})
	tree, err := localdir.Read(t.Context(), lucidbase.Local{Dir: dir})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a.py"), []byte("x = 2\n"), 0o600))
	require.NoError(t, os.Remove(filepath.Join(dir, "b.py")))
	read := func(name string) (string, error) {
		f, err := tree.Open(name)
		require.NoError(t, err)
		defer f.Close()
		data, err := io.ReadAll(f)
		return string(data), err
	}
	_, err = read("a.py")
	require.ErrorContains(t, err, "a.py: changed while it was read")
	_, err = read("b.py")
	require.ErrorIs(t, err, fs.ErrNotExist)
	text, err := read("c.py")
	require.NoError(t, err)
	require.Equal(t, "z = 1\n", text)
}

// What fn skips is not walked, as fs.WalkDir has it.
func TestSkip(t *testing.T) {
	tree, err := localdir.Read(t.Context(), lucidbase.Local{Dir: write(t, map[string]string{"a/b/c": "", "a/d": "", "e/f": "", "e/g": "", "h": ""})})
	require.NoError(t, err)
	var seen []string
	require.NoError(t, tree.Walk(t.Context(), "/", func(name string, d fs.DirEntry, _ error) error {
		seen = append(seen, name)
		switch name {
		case "a", "e/f":
			return fs.SkipDir
		case "h":
			return fs.SkipAll
		}
		return nil
	}))
	require.Equal(t, []string{"a", "e", "e/f", "h"}, seen)
}
