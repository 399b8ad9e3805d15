package engine

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/moby/buildkit/client"
	"github.com/opencontainers/go-digest"
	"github.com/stretchr/testify/require"
)

// However an engine cuts what a step says, what is for the file is not shown.
func TestStepLogIsDiverted(t *testing.T) {
	const text = "before\n\x1eline 1\nline 2\n\x1f\nerror: told\n"
	for size := 1; size <= len(text); size++ {
		f := failures{logDir: t.TempDir()}
		shown := ""
		for rest := text; rest != ""; {
			part := rest[:min(size, len(rest))]
			rest = rest[len(part):]
			s := &client.SolveStatus{Logs: []*client.VertexLog{{Vertex: digest.FromString("v"), Data: []byte(part)}}}
			f.note(1, s)
			for _, l := range s.Logs {
				shown += string(l.Data)
			}
		}
		done := time.Unix(1, 0)
		f.note(1, &client.SolveStatus{Vertexes: []*client.Vertex{{
			Digest: digest.FromString("v"), Name: "compile a/b 1", Completed: &done,
			Error: `process "x" did not complete successfully: exit code: 1`,
		}}})
		path := filepath.Join(f.logDir, "compile-a-b-1.log")
		require.NotContains(t, shown, "line", size)
		require.Contains(t, shown, "error: told")
		require.EqualError(t, f.err(), "building compile a/b 1: error: told (log: "+path+")")
		written, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, "line 1\nline 2\n", string(written))
	}
}

func TestStepLogIsLimited(t *testing.T) {
	var s stepLog
	require.Empty(t, s.divert([]byte("\x1e"+strings.Repeat("x", maxStepLog))))
	require.Equal(t, "rest", string(s.divert([]byte("yy\x1frest"))))
	require.Len(t, s.data, maxStepLog)
}

func TestStepLogCannotBeWritten(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	key := stepKey{step: digest.FromString("v")}
	f := failures{logDir: file, full: map[stepKey]*stepLog{key: {data: []byte("x")}}}
	require.Contains(t, f.writeLog(failure{&client.Vertex{Name: "a"}, key}), "no log: ")
}
