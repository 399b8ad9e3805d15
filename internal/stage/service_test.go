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
	for _, name := range []string{"one/a.py", "one/sub/b.py", "two/sub/c.py", "same/sub/b.py", "file/sub", "dir/a.py/d.py"} {
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
		{[]string{"one", "same"}, []string{"/app", "/app"}, "error: /app/sub/b.py is in one and in same"},
		{[]string{"one", "two"}, []string{"/app", "/app/sub/sub/.."}, nil},
		{[]string{"one", "file"}, []string{"/app", "/app"}, "error: /app/sub is in one and in file"},
		{[]string{"one", "dir"}, []string{"/app", "/app"}, "error: /app/a.py is in one and in dir"},
		{[]string{"one", "two"}, []string{"/app", "/app/a.py"}, "error: /app/a.py is in one and in two"},
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
