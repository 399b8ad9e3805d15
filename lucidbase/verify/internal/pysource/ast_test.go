package pysource

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/unicode/norm"
)

// Every file of an installed Python, its tests and packages included, imports what
// Python's own parser says that it does.
func TestLongAsPythonDoes(t *testing.T) {
	const roots = "import sysconfig; print('\\n'.join(dict.fromkeys(sysconfig.get_path(p) for p in ('stdlib', 'purelib', 'platlib'))))"
	out, err := exec.Command("python3", "-c", roots).Output()
	require.NoError(t, err, "this test needs python3")
	dirs := strings.Fields(string(out))
	least := 500
	if testing.Short() {
		least = 50
		stdlib := dirs[0]
		dirs = nil
		for _, name := range []string{"asyncio", "email", "xml"} {
			dirs = append(dirs, filepath.Join(stdlib, name))
		}
	}
	cmd := exec.Command("python3", append([]string{"testdata/imports.py"}, dirs...)...)
	cmd.Stderr = os.Stderr
	pipe, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	lines := bufio.NewScanner(pipe)
	lines.Buffer(nil, 64<<20)
	files, imports, unread, names := 0, 0, 0, 0
	for lines.Scan() {
		var row [3]json.RawMessage
		require.NoError(t, json.Unmarshal(lines.Bytes(), &row))
		var file string
		var want [][5]any
		var bound []string
		require.NoError(t, json.Unmarshal(row[0], &file))
		require.NoError(t, json.Unmarshal(row[1], &want))
		require.NoError(t, json.Unmarshal(row[2], &bound))
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		m := Parse(data)
		if m.Unread {
			unread++
			require.True(t, len(data) > MaxSize || !known(string(data)), "%s is not read", file)
			continue
		}
		files++
		var got [][5]any
		for _, s := range m.Steps {
			if (s.Action == Import || s.Action == From) && s.In == "" {
				got = append(got, row5(s))
			}
		}
		imports += len(got)
		for i := range want {
			if want[i][3] == nil {
				want[i][3] = []any{}
			}
		}
		if len(got)+len(want) > 0 && !assertEqual(t, file, want, got) {
			continue
		}
		if m.Dynamic {
			continue
		}
		names += len(bound)
		has := map[string]bool{}
		for _, n := range m.Names {
			has[norm.NFKC.String(n)] = true
		}
		for _, n := range bound {
			if !has[n] {
				t.Errorf("%s: lacks the name %s", file, n)
			}
		}
	}
	require.NoError(t, lines.Err())
	require.NoError(t, cmd.Wait())
	t.Logf("%d files, %d imports, %d names; %d files of other encodings or above the limit", files, imports, names, unread)
	require.Greater(t, files, least)
	require.Less(t, unread, files/50)
}

func row5(s Step) [5]any {
	names := []any{}
	for _, n := range s.Names {
		names = append(names, norm.NFKC.String(n))
	}
	return [5]any{float64(s.Line), norm.NFKC.String(s.Module), float64(s.Level), names, norm.NFKC.String(s.As)}
}

func assertEqual(t *testing.T, file string, want, got [][5]any) bool {
	a, err := json.Marshal(want)
	require.NoError(t, err)
	b, err := json.Marshal(got)
	require.NoError(t, err)
	if string(a) != string(b) {
		t.Errorf("%s:\nPython: %s\nhere:   %s", file, a, b)
		return false
	}
	return true
}
