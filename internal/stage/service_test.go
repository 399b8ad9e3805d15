package stage

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// Directories may be laid over each other as long as no file is in two.
func TestSourcesInOnePlace(t *testing.T) {
	const trial = `
import service
def call(out, roots, places):
    service.OUT, owners = out, {}
    try:
        for root, to in zip(roots, places):
            service.copy(root, {"shown": root.rpartition("/")[2], "to": to}, owners)
    except SystemExit as e:
        return e.code
`
	dir := t.TempDir()
	put(t, filepath.Join(dir, "trials.py"), trial)
	for _, name := range []string{"one/a.py", "one/sub/b.py", "two/sub/c.py", "same/sub/b.py", "file/sub", "dir/a.py/d.py", "x/one/a.py"} {
		put(t, filepath.Join(dir, name), name)
	}
	require.NoError(t, os.Symlink("b.py", filepath.Join(dir, "one/sub/link.py")))
	t.Setenv("PYTHONPATH", dir)
	cases := []struct {
		roots, places []string
		want          any
	}{
		{[]string{"one", "two"}, []string{"/app", "/app"}, nil},
		{[]string{"one", "same"}, []string{"/app", "/app/other"}, nil},
		{[]string{"one", "same"}, []string{"/app", "/app"}, "error: /app/sub/b.py is in one and in same: exclude it from one"},
		{[]string{"one", "two"}, []string{"/app", "/app/sub/sub/.."}, nil},
		{[]string{"one", "x/one"}, []string{"/app", "/app"}, "error: /app/a.py is in one and in one: exclude it from one"},
		{[]string{"one", "file"}, []string{"/app", "/app"}, "error: /app/sub is in one and in file: exclude it from one"},
		{[]string{"one", "dir"}, []string{"/app", "/app"}, "error: /app/a.py is in one and in dir: exclude it from one"},
		{[]string{"one", "two"}, []string{"/app", "/app/a.py"}, "error: /app/a.py is in one and in two: exclude it from one"},
	}
	var calls [][]any
	for i, c := range cases {
		roots := make([]string, len(c.roots))
		for j, name := range c.roots {
			roots[j] = filepath.Join(dir, name)
		}
		calls = append(calls, []any{filepath.Join(dir, "out", string(rune('a'+i))), roots, c.places})
	}
	for i, got := range python(t, "trials.call", calls...) {
		require.Equal(t, cases[i].want, got, cases[i])
	}
	var made []string
	out := os.DirFS(filepath.Join(dir, "out/a"))
	require.NoError(t, fs.WalkDir(out, ".", func(name string, d fs.DirEntry, err error) error {
		if !d.IsDir() {
			made = append(made, name)
		}
		return err
	}))
	require.Equal(t, []string{"app/a.py", "app/sub/b.py", "app/sub/c.py", "app/sub/link.py"}, made)
	target, err := os.Readlink(filepath.Join(dir, "out/a/app/sub/link.py"))
	require.NoError(t, err)
	require.Equal(t, "b.py", target)
}

// A directory of the user's is none of the source's files, and is below no file or link.
func TestWritableInTheSource(t *testing.T) {
	const trial = `
import os, service
def call(out, root, writable):
    service.OUT, owners = out, {}
    os.chown = lambda *_: None
    service.copy(root, {"shown": "src", "to": "/app"}, owners)
    try:
        service.make_writable(writable, owners)
    except SystemExit as e:
        return e.code
    return os.path.isdir(out + writable)
`
	dir := t.TempDir()
	put(t, filepath.Join(dir, "trials.py"), trial)
	put(t, filepath.Join(dir, "src/main.py"), "")
	put(t, filepath.Join(dir, "src/data/seed.json"), "")
	require.NoError(t, os.Symlink("nothing", filepath.Join(dir, "src/link")))
	require.NoError(t, os.Symlink("data", filepath.Join(dir, "src/more")))
	t.Setenv("PYTHONPATH", dir)
	cases := []struct {
		writable string
		want     any
	}{
		{"/app/data", true},
		{"/app/data/new", true},
		{"/data", true},
		{"/app/main.py", "error: Writable /app/main.py: /app/main.py is in src, and is no directory"},
		{"/app/main.py/x", "error: Writable /app/main.py/x: /app/main.py is in src, and is no directory"},
		{"/app/link", "error: Writable /app/link: /app/link is in src, and is no directory"},
		{"/app/more/x", "error: Writable /app/more/x: /app/more is in src, and is no directory"},
	}
	var calls [][]any
	for i, c := range cases {
		calls = append(calls, []any{filepath.Join(dir, "out", string(rune('a'+i))), filepath.Join(dir, "src"), c.writable})
	}
	for i, got := range python(t, "trials.call", calls...) {
		require.Equal(t, cases[i].want, got, cases[i])
	}
}

// A module that the compiler does not take has its words in the place of the bytecode.
func TestNoteOfAModuleThatIsNoPython(t *testing.T) {
	const trial = `
from pathlib import Path
import service
def call(path):
    service.note(Path(path))
    note = Path(path).parent / "__pycache__" / (Path(path).stem + ".error")
    return note.read_text() if note.exists() else ""
`
	dir := t.TempDir()
	put(t, filepath.Join(dir, "trials.py"), trial)
	t.Setenv("PYTHONPATH", dir)
	var calls [][]any
	texts := []string{"x = 1\n", "x = 1\nprint 'x'\n", "def f(\n", "\nx = '", "# coding: klingon\n", "x = \x00\n", "if x:\ny\n"}
	for i, text := range texts {
		at := filepath.Join(dir, string(rune('a'+i)), "m.py")
		put(t, at, text)
		calls = append(calls, []any{at})
	}
	wants := []string{"", "line 2: Missing parentheses", "line 1: '(' was never closed", "line 2: unterminated string", "line ", "line ", "line 2: expected an indented block"}
	for i, got := range python(t, "trials.call", calls...) {
		if wants[i] == "" {
			require.Empty(t, got)
			continue
		}
		require.Contains(t, got, wants[i], texts[i])
	}
}
