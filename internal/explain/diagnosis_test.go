package explain_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/explain"
	"github.com/lucid-project/base-images/lucidbase/lock"
)

var update = flag.Bool("update", false, "write the golden files")

func read(t *testing.T, files map[string]string, name string) *explain.Project {
	t.Helper()
	p, err := explain.Read(name, func(name string) ([]byte, error) {
		if text, ok := files[name]; ok {
			return []byte(text), nil
		}
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}, nil)
	require.NoError(t, err)
	return p
}

// round is one exchange with the index, as a real engine recorded it: questions
// and what uv and pip said, or what a resolution found out.
type round struct {
	Jobs    []explain.Job
	Answers []explain.Answer
	Blame   *struct {
		Name, Version, Why string
		Targets            []string
	}
}

// Each folder has a project, what the index said about it, and what is to come
// of it.
func TestDiagnosis(t *testing.T) {
	dirs, err := filepath.Glob("testdata/*/requirements.txt")
	require.NoError(t, err)
	require.Greater(t, len(dirs), 10)
	for _, dir := range dirs {
		dir = filepath.Dir(dir)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			p, err := explain.Read("requirements.txt", func(name string) ([]byte, error) { return os.ReadFile(filepath.Join(dir, name)) }, nil)
			require.NoError(t, err)
			d := explain.Diagnose(p, lock.WheelTargets())
			for _, r := range rounds(t, dir) {
				if r.Blame != nil {
					require.Empty(t, d.Jobs())
					d.Blame(r.Blame.Name, r.Blame.Version, r.Blame.Targets, r.Blame.Why)
					continue
				}
				require.Equal(t, r.Jobs, d.Jobs(), "other questions than those that were recorded")
				requireNoStandardLibrary(t, r.Jobs)
				d.Take(r.Answers)
			}
			require.Empty(t, d.Jobs())
			golden(t, filepath.Join(dir, "want.txt"), said(d))
		})
	}
}

func requireNoStandardLibrary(t *testing.T, jobs []explain.Job) {
	t.Helper()
	for _, job := range jobs {
		for _, r := range append(slices.Clone(job.Requirements), job.Name) {
			name := strings.FieldsFunc(r+"=", func(c rune) bool { return strings.ContainsRune("=<>~![ ;", c) })
			require.False(t, len(name) > 0 && !strings.Contains(r, ";") && explain.InStandardLibrary(name[0]), r)
		}
	}
}

// said is everything that a diagnosis says.
func said(d *explain.Diagnosis) []byte {
	var b bytes.Buffer
	for _, f := range d.Findings() {
		fmt.Fprintln(&b, f)
	}
	if d.Unexplained() != "" {
		fmt.Fprintln(&b, "unexplained:", d.Unexplained())
	}
	texts := d.Suggested()
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		fmt.Fprintf(&b, "--- %s\n%s", name, texts[name])
	}
	return b.Bytes()
}

func rounds(t *testing.T, dir string) []round {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, "answers.jsonl"))
	require.NoError(t, err)
	var all []round
	for sc := bufio.NewScanner(bytes.NewReader(data)); sc.Scan(); {
		var r round
		require.NoError(t, json.Unmarshal(sc.Bytes(), &r))
		all = append(all, r)
	}
	return all
}

func golden(t *testing.T, file string, got []byte) {
	t.Helper()
	if *update {
		require.NoError(t, os.WriteFile(file, got, 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got))
}
