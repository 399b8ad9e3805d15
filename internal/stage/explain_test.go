package stage

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// Every requirement that cannot be had is found, whatever uv says of all at once, and
// few questions are asked.
func TestUnavailable(t *testing.T) {
	const trial = `
import explain
def call(requirements, bad, says):
    asked, problems = [], {}
    def compiled(clock, some, constraints, *arguments):
        asked.append(len(some))
        failing = [r for r in some if r in bad]
        return "", (says.get(failing[0], failing[0]) if failing else "")
    explain.compiled = compiled
    explain.unavailable(None, requirements, "manylinux_2_36_x86_64", "3.11.2", problems)
    return [sorted(problems), len(asked)]
`
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "trials.py"), []byte(trial), 0o600))
	t.Setenv("PYTHONPATH", dir)
	list := []any{"a==1", "Zope.B==2", "c[x]>=3", "d", "e", "f"}
	none := map[string]string{}
	require.Equal(t, []any{
		[]any{[]any{}, 1.0},
		[]any{[]any{"Zope.B==2", "d"}, 5.0}, // three times all that is left, and each of the two
		[]any{[]any{"c[x]>=3"}, 7.0},        // uv names nothing: all, and each
		[]any{[]any{"e"}, 7.0},              // uv names another one
	}, python(t, "trials.call",
		[]any{list, []any{}, none},
		[]any{list, []any{"Zope.B==2", "d"}, map[string]string{"Zope.B==2": "there is no version of zope-b==2, and"}},
		[]any{list, []any{"c[x]>=3"}, map[string]string{"c[x]>=3": "something"}},
		[]any{list, []any{"e"}, map[string]string{"e": "a==1 is well"}},
	))
}

// An answer that there is no time for says so.
func TestAnswerLate(t *testing.T) {
	const trial = `
import explain
def call(kind):
    job = {"kind": kind, "requirements": ["a==1", "b"], "near": [["a", "1"], ["b", ""]], "name": "a"}
    return explain.answer(explain.Clock(-1), job, ["manylinux_2_36_x86_64"], "3.11.2")
`
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "trials.py"), []byte(trial), 0o600))
	t.Setenv("PYTHONPATH", dir)
	require.Equal(t, []any{
		map[string]any{"problems": []any{}, "unasked": []any{0.0, 1.0}}, map[string]any{"late": true},
	}, python(t, "trials.call", []any{"alone"}, []any{"together"}))
}
