package explain_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/explain"
)

func TestRead(t *testing.T) {
	_, err := explain.Read("svc/r.txt", os.ReadFile, nil)
	require.EqualError(t, err, "reading svc/r.txt: no such file or directory")
	require.ErrorIs(t, err, fs.ErrNotExist)

	files := map[string]string{
		"svc/r.txt":          "-r ../common/base.txt\n-r r.txt\n-c limits.txt\n-r https://u:p@h/r.txt\n-r /etc/base.txt\n-r sub\\win.txt\na==1",
		"common/base.txt":    "-r more.txt\n-r base.txt # twice\n",
		"common/more.txt":    "logging\n-r base.txt",
		"svc/limits.txt":     "-r stricter.txt\nb<2\n",
		"svc/stricter.txt":   "c<3",
		"svc/sub/win.txt":    "d==4",
		"/etc/unreadable.in": "",
	}
	p := read(t, files, "svc/r.txt")
	var got []string
	for _, f := range p.Findings() {
		got = append(got, f.String())
	}
	require.Equal(t, []string{
		"svc/r.txt: line 2: -r r.txt: the file includes itself",
		"svc/r.txt: line 4: -r https://***@h/r.txt: an include of an address is not read: keep the file here",
		"svc/r.txt: line 5: -r /etc/base.txt: there is no file /etc/base.txt",
		"common/base.txt: line 2: -r base.txt: the file includes itself",
		"common/more.txt: line 1: logging: part of Python, remove it",
	}, got)
	requirements, constraints := p.Query().Text()
	require.Equal(t, "a==1\nd==4\n", requirements)
	require.Equal(t, "b<2\nc<3\n", constraints)
}

func TestReadUnreadableInclude(t *testing.T) {
	p, err := explain.Read("r.txt", func(name string) ([]byte, error) {
		if name == "r.txt" {
			return []byte("-r dir"), nil
		}
		return nil, &fs.PathError{Op: "read", Path: name, Err: errors.New("is a directory")}
	}, nil)
	require.NoError(t, err)
	require.Equal(t, "r.txt: line 1: -r dir: dir cannot be read: is a directory", p.Findings()[0].String())
}

// A pin that is gone leaves its extras with the one that stays; markers tell
// pins apart.
func TestPinnedTwice(t *testing.T) {
	p := read(t, map[string]string{"r.txt": "x[a]==1\nx[b]==2\ny==1; sys_platform == 'win32'\ny==2; sys_platform != 'win32'\nz==1\nz>=1\nz==1\n"}, "r.txt")
	d := explain.Diagnose(p, nil)
	require.Len(t, d.Findings(), 2)
	require.Equal(t, "r.txt: line 1: x[a]==1: pinned again on line 2, as ==2: keep one", d.Findings()[0].String())
	require.Equal(t, `# x[a]==1: pinned again on line 2, as ==2: keep one
# x[b]==2: the extras of line 1 belong here
x[a,b]==2
y==1; sys_platform == 'win32'
y==2; sys_platform != 'win32'
z==1
z>=1
z==1
`, string(d.Suggested()["r.suggested.txt"]))
}

// Line ends, comments and continued lines that are not changed stay.
func TestSuggestedKeepsTheRest(t *testing.T) {
	text := "\xef\xbb\xbf# ours\r\na==1 \\\r\n    --hash=sha256:" + digits + "  # kept\r\n\r\nlogging  # gone\r\nb=2  # stays\r\n"
	p := read(t, map[string]string{"r.txt": text}, "r.txt")
	require.Equal(t, "# ours\r\na==1 \\\r\n    --hash=sha256:"+digits+"  # kept\r\n\r\n"+
		"# logging: part of Python, remove it\r\n"+
		"# b=2: not a requirement: = is no comparison, probably b==2\r\nb==2  # stays\r\n",
		string(explain.Diagnose(p, nil).Suggested()["r.suggested.txt"]))
}

// A backport for an older Python asks for nothing here.
func TestMarkersOfOtherPythons(t *testing.T) {
	for marker, void := range map[string]bool{
		`python_version < "3.4"`: true, `python_version<'3'`: true, `python_version <= "2.7"`: true, `python_version == "3.6.*"`: true,
		`python_version < "3.11"`: true, `(python_full_version < "3.10.2")`: true, `python_full_version < "3.11.3"`: false,
		`python_version < "3.12"`: false, `python_version >= "3.5"`: false, `sys_platform == "win32"`: false, `python_version < "3.4" or os_name == "posix"`: false,
	} {
		p := read(t, map[string]string{"r.txt": "pathlib; " + marker}, "r.txt")
		require.Equal(t, void, len(p.Findings()) == 0, marker)
	}
}

func ExampleProject_Findings() {
	open := func(string) ([]byte, error) { return []byte("redis==5.0.1\nlogging\nrequests=2.31.0\n"), nil }
	p, err := explain.Read("requirements.txt", open, nil)
	if err != nil {
		panic(err)
	}
	for _, f := range p.Findings() {
		fmt.Println(f)
	}
	// Output:
	// requirements.txt: line 2: logging: part of Python, remove it
	// requirements.txt: line 3: requests=2.31.0: not a requirement: = is no comparison, probably requests==2.31.0
}

// A constraint is no second pin, and what includes a changed file changes too.
func TestSuggestedThroughIncludes(t *testing.T) {
	p := read(t, map[string]string{"r.txt": "-r a.txt\nx==1\n-c c.txt\n", "a.txt": "-r b.txt  # deeper\n", "b.txt": "-r d.txt\n", "d.txt": "logging\n", "c.txt": "x==2\n"}, "r.txt")
	d := explain.Diagnose(p, nil)
	require.Len(t, d.Findings(), 1)
	require.Equal(t, map[string][]byte{
		"r.suggested.txt": []byte("-r a.suggested.txt\nx==1\n-c c.txt\n"),
		"a.suggested.txt": []byte("-r b.suggested.txt  # deeper\n"),
		"b.suggested.txt": []byte("-r d.suggested.txt\n"),
		"d.suggested.txt": []byte("# logging: part of Python, remove it\n"),
	}, d.Suggested())
}

// What can be had for some of the targets stays, is reported once, and is no news
// when a resolution says so again.
func TestSomeTargets(t *testing.T) {
	p := read(t, map[string]string{"r.txt": "a==1\n"}, "r.txt")
	d := explain.Diagnose(p, []string{"glibc", "musl"})
	require.Equal(t, explain.Alone, d.Jobs()[0].Kind)
	d.Take([]explain.Answer{{Problems: []explain.Problem{{
		Error: "error: No solution\n  cause: Because a==1 has no wheels with a matching platform tag", Targets: []string{"musl"},
		Wheels: explain.Wheels{Wheels: []string{"2"}, For: []string{"glibc"}},
	}}}})
	require.Equal(t, explain.Together, d.Jobs()[0].Kind)
	d.Take([]explain.Answer{{Versions: map[string][]string{"a": {"1"}}}})
	require.Empty(t, d.Jobs())
	require.False(t, d.Blame("a", "1", []string{"musl"}, "no source"))
	require.Equal(t, []explain.Finding{{
		File: "r.txt", Line: 1, Text: "a==1",
		Why: "no wheel for musl, and no source; the nearest with wheels for glibc is 2; this one can be had with --target glibc",
	}}, d.Findings())
	require.Contains(t, string(d.Suggested()["r.suggested.txt"]), "\na==1\n")
}

// What is a source alone may have its wheels under another name.
func TestAsWheels(t *testing.T) {
	p := read(t, map[string]string{"r.txt": "psycopg2==2.9.9\n"}, "r.txt")
	d := explain.Diagnose(p, []string{"glibc", "musl"})
	d.Jobs()
	d.Take([]explain.Answer{{}})
	d.Jobs()
	d.Take([]explain.Answer{{Versions: map[string][]string{"psycopg2": {"2.9.9"}}}})
	require.True(t, d.Blame("psycopg2", "2.9.9", []string{"glibc", "musl"}, "its source cannot be built: pg_config not found"))
	require.Equal(t, explain.Versions, d.Jobs()[0].Kind)
	d.Take([]explain.Answer{{}})
	asked := []string{"psycopg2-binary==2.9.9"}
	require.Equal(t, []explain.Job{{Kind: explain.Alone, Requirements: asked, Near: [][2]string{{"psycopg2-binary", "2.9.9"}}}}, d.Jobs())
	d.Take([]explain.Answer{{}})
	require.Equal(t, []explain.Job{{Kind: explain.Together, Requirements: asked}}, d.Jobs())
	d.Take([]explain.Answer{{Versions: map[string][]string{"psycopg2-binary": {"2.9.9"}}}})
	require.Equal(t, []explain.Finding{{
		File: "r.txt", Line: 1, Text: "psycopg2==2.9.9",
		Why: "its source cannot be built: pg_config not found (psycopg2-binary is the same, published as wheels); no version is there with wheels for all",
	}}, d.Findings())
	require.Contains(t, string(d.Suggested()["r.suggested.txt"]), "\npsycopg2-binary==2.9.9\n")
}

// Of two lines that could give way alike, the later one does.
func TestTheLaterLineGivesWay(t *testing.T) {
	p := read(t, map[string]string{"r.txt": "a==1\nb==1\n"}, "r.txt")
	d := explain.Diagnose(p, nil)
	d.Jobs()
	d.Take([]explain.Answer{{}})
	d.Jobs()
	d.Take([]explain.Answer{{Error: "error: No solution\n  cause: Because a==1 depends on c<2 and b==1 depends on c>=2, we can conclude that a==1 and b==1 are incompatible."}})
	require.Equal(t, []explain.Job{
		{Kind: explain.Together, Requirements: []string{"a", "b==1"}}, {Kind: explain.Together, Requirements: []string{"a==1", "b"}},
	}, d.Jobs())
	d.Take([]explain.Answer{{Versions: map[string][]string{"a": {"3"}}}, {Versions: map[string][]string{"b": {"3"}}}})
	require.Equal(t, "r.txt: line 2: b==1: it contradicts a==1 on line 1: a==1 depends on c<2; b==1 depends on c>=2; 3 fits", d.Findings()[0].String())
}
