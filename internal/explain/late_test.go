package explain

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// An explanation that is ended says what it knows, and what it has not looked at.
func TestUnseen(t *testing.T) {
	targets := []string{"glibc", "musl"}
	const list = "a==1\nb==2\n\nc==3\nlogging\n"
	gone := Problem{Index: 0, Error: "there is no version of a==1", Targets: targets, Nearest: []string{"1.1"}}
	alone := func(a Answer) *Diagnosis {
		d := Diagnose(project(t, list), targets)
		require.Equal(t, []string{"a==1", "b==2", "c==3"}, d.Jobs()[0].Requirements)
		d.Take([]Answer{a})
		return d
	}
	whole := alone(Answer{})
	require.Equal(t, Together, whole.Jobs()[0].Kind)
	require.Empty(t, whole.Unseen())

	d := alone(Answer{Problems: []Problem{gone}, Unasked: []int{1, 2}})
	require.Empty(t, d.Jobs(), "it is ended")
	require.Equal(t, "lines 2, 4 of r.txt; whether all requirements go together", d.Unseen())
	require.Equal(t, "r.txt: line 1: a==1: there is no such version; the nearest is 1.1", d.Findings()[0].String())
	require.Equal(t, "r.txt: line 5: logging: part of Python, remove it", d.Findings()[1].String())

	gone.Nearest, gone.Late = nil, true
	d = alone(Answer{Problems: []Problem{gone}, Unasked: []int{2}})
	require.Equal(t, "line 4 of r.txt; whether all requirements go together", d.Unseen())
	require.Equal(t, "there is no such version; there was no time to look for another version", d.Findings()[0].Why)

	whole.Take([]Answer{{Late: true}})
	require.Empty(t, whole.Jobs())
	require.Equal(t, "whether all requirements go together", whole.Unseen())

	d = Diagnose(project(t, list), targets)
	d.Stop()
	require.Equal(t, "lines 1, 2, 4 of r.txt; whether all requirements go together", d.Unseen())
	require.Len(t, d.Findings(), 1, "what needs no index is known")
}

// A contradiction is reported even if there is no time to find out what to change.
func TestLateContradiction(t *testing.T) {
	d := Diagnose(project(t, "fastapi==0.104.1\nstarlette==0.30.0\n"), []string{"glibc"})
	d.Jobs()
	d.Take([]Answer{{}})
	d.Jobs()
	d.Take([]Answer{{Error: "error: No solution found\n  cause: Because fastapi==0.104.1 depends on starlette>=0.27.0,<0.28.0 and you require starlette==0.30.0, we can conclude"}})
	require.Len(t, d.Jobs(), 2)
	d.Take([]Answer{{Late: true}, {Late: true}})
	require.Contains(t, d.Findings()[0].String(), "line 2: starlette==0.30.0: it contradicts fastapi==0.104.1 on line 1")
	require.Empty(t, d.Jobs())
	require.Equal(t, "whether all requirements go together", d.Unseen())
}

// What is corrected, and what is looked for, may be cut short too.
func TestLateVersions(t *testing.T) {
	targets := []string{"glibc", "musl"}
	d := Diagnose(project(t, "a==1\n"), targets)
	d.Jobs()
	d.Take([]Answer{{}})
	d.Jobs()
	d.Take([]Answer{{Versions: map[string][]string{"a": {"1"}}}})
	require.Empty(t, d.Jobs())
	require.True(t, d.Blame("a", "1", targets[1:], "no wheel for musl"))
	require.Len(t, d.Jobs(), 1)
	d.Take([]Answer{{Late: true}})
	require.Equal(t, "no wheel for musl; there was no time to look for another version", d.Findings()[0].Why)
	require.Empty(t, d.Jobs())

	d = Diagnose(project(t, "a==1\n"), targets)
	d.Jobs()
	d.Take([]Answer{{}})
	d.Jobs()
	d.Take([]Answer{{}})
	d.Stop()
	require.Equal(t, "whether the corrected list can be locked", d.Unseen())
}

// A local version is one line, whatever else there would be to say of the project.
func TestLocalVersion(t *testing.T) {
	d := Diagnose(project(t, "torch==2.1.0+cpu\nsix==1.16.0\n"), []string{"glibc", "musl"})
	d.Jobs()
	d.Take([]Answer{{Problems: []Problem{{
		Index: 0, Error: "Because there is no version of torch==2.1.0+cpu and you require torch==2.1.0+cpu", Targets: []string{"glibc"}, Nearest: []string{"2.1.0", "2.1.1"},
	}}}})
	require.Equal(t, []string{"six==1.16.0"}, d.Jobs()[0].Requirements)
	require.Len(t, d.Findings(), 1)
	require.Contains(t, d.Findings()[0].Why, "a local version (PEP 440), which this index does not have: set UV_INDEX")
}

// What "pip freeze" has of a system and no index has is not asked for.
func TestNowhere(t *testing.T) {
	d := Diagnose(project(t, "six==1.16.0\npkg-resources==0.0.0\npip==23.0\n"), []string{"glibc"})
	require.Equal(t, []string{"six==1.16.0", "pip==23.0"}, d.Jobs()[0].Requirements)
	d = Diagnose(project(t, "six\npkg-resources==0.0.0\n"), []string{"glibc"})
	require.Equal(t, []string{"six", "pkg-resources==0.0.0"}, d.Jobs()[0].Requirements, "no such list")
}
