//go:build linux

package e2e

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/names"
	"github.com/lucid-project/base-images/lucidbase/lock"
)

const listsDir = "../../internal/explain/testdata"

// explanations are what must be said of some of the lists, with the index as it is
// today: versions of which there may be newer ones are left open. The package's own
// test has all lists, with answers that were recorded.
var explanations = map[string][]string{
	"versions":      {`line 1: cryptography==41\.0\.8: there is no such version; the nearest are 41\.0\.7 and 42\.0\.0`, `line 2: redis==5\.0\.99: there is no such version; the nearest are 5\.0\.8 and 5\.1\.0`, `line 3: idna>=99: there is no such version; the nearest is \d`, `line 5: pyjwt==2\.99\.\*: there is no such`},
	"contradiction": {`line 3: starlette==0\.30\.0: it contradicts fastapi==0\.104\.1 on line 1: fastapi==0\.104\.1 depends on starlette>=0\.27\.0,<0\.28\.0; 0\.27\.0 fits`, `line 4: pydantic-core==2\.10\.0: it contradicts pydantic==2\.5\.0 on line 2`},
	"places":        {`line 1: --index-url https://\*\*\*@index\.example\.com/simple: .*UV_DEFAULT_INDEX`, `line 3: -e \.: files of this machine`, `line 5: git\+https://\$\{TOKEN\}@git\.`, `token=\*\*\*: an address has no hash`},
	"unknown":       {`line 1: lucid-no-such-project-of-ours==1\.0: there is no such project`, `line 2: sklearn: .*scikit-learn`},
	"rust":          {`line 1: orjson==3\.6\.0: no wheel for .*Rust compiler.*the nearest with wheels for all is 3\.8\.10`},
}

// Lists as people have them, none of which can be locked: every line that is in
// the way is explained in one run, and what is suggested can be locked.
func TestLongExplain(t *testing.T) {
	t.Parallel()
	s := needEngine(t)
	for name, says := range explanations {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			require.NoError(t, os.CopyFS(dir, os.DirFS(filepath.Join(listsDir, name))))
			list := filepath.Join(dir, "requirements.txt")
			original, err := os.ReadFile(list)
			require.NoError(t, err)
			run := func(args ...string) result {
				return s.run(t, command{dir: dir, args: append([]string{"lock", "--cache-dir", s.lockCache(), "--progress", "quiet", "--explain-timeout", "10m"}, args...)})
			}
			var targets []string
			if name == "unknown" { // scikit-learn takes minutes to find out that musl cannot have it
				targets = []string{"--target", "manylinux_2_36_x86_64,manylinux_2_36_aarch64"}
			}
			res := run(append(targets, "-r", "requirements.txt", "--suggest")...)
			require.Equal(t, 1, res.code, res.stderr)
			require.Empty(t, res.stdout)
			for _, pattern := range says {
				require.Regexp(t, `(?m)^lucidbase: .*`+pattern, res.stderr)
			}
			require.NotRegexp(t, `hunter2|=abc\b|stage\.py|Traceback`, res.stderr)
			after, err := os.ReadFile(list)
			require.NoError(t, err)
			require.Equal(t, original, after)
			require.NoFileExists(t, filepath.Join(dir, "requirements.lock.txt"))

			suggested, err := os.ReadFile(filepath.Join(dir, "requirements.suggested.txt"))
			require.NoError(t, err)
			require.NotRegexp(t, `hunter2|=abc\b`, string(suggested))
			require.Contains(t, res.stderr, "requirements.suggested.txt, which resolves\n")
			res = run(append(targets, "-r", "requirements.suggested.txt", "-o", "out.lock.txt")...)
			require.Zero(t, res.code, res.stderr)
			locked, err := lock.Read(os.DirFS(dir), "out.lock.txt")
			require.NoError(t, err)
			for _, project := range asked(string(suggested)) {
				require.NotEmpty(t, find(locked.Requirements, project).Version, "%s is in the suggestion", project)
			}
		})
	}
}

// asked lists the normalised names of the projects of a list in which each has a line.
func asked(list string) (projects []string) {
	for _, m := range regexp.MustCompile(`(?m)^[A-Za-z0-9][A-Za-z0-9._-]*`).FindAllString(list, -1) {
		projects = append(projects, names.Normalize(m))
	}
	return projects
}

// A name of the standard library is never asked for, and neither is an address
// that a list names.
func TestExplainAsksForNoStandardLibrary(t *testing.T) {
	s := needEngine(t)
	s.firstBuild(t) // it has uv
	var mu sync.Mutex
	var asked []string
	index := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		asked = append(asked, r.URL.Path)
		http.NotFound(w, r)
	}))
	defer index.Close()
	dir := t.TempDir()
	list := "logging\nplatform==1.0.8\nredis==5.0.1\n--extra-index-url " + strings.Replace(index.URL, "//", "//user:hunter2@", 1) + "/extra\n"
	require.NoError(t, os.WriteFile(filepath.Join(dir, "requirements.txt"), []byte(list), 0o644))
	res := s.run(t, command{
		dir:  dir,
		args: []string{"lock", "--cache-dir", s.cache(), "--progress", "quiet", "-r", "requirements.txt"},
		env:  []string{"UV_DEFAULT_INDEX=" + index.URL, "PIP_INDEX_URL=" + index.URL},
	})
	require.Equal(t, 1, res.code, res.stderr)
	require.Contains(t, res.stderr, "line 1: logging: part of Python, remove it")
	require.Contains(t, res.stderr, "line 3: redis==5.0.1: there is no such project in the index")
	require.Contains(t, res.stderr, "--suggest")
	require.NotContains(t, res.stderr, "hunter2")
	require.NoFileExists(t, filepath.Join(dir, "requirements.suggested.txt"))
	mu.Lock()
	defer mu.Unlock()
	require.Contains(t, asked, "/redis/")
	for _, path := range asked {
		require.Equal(t, "/redis/", path)
	}
}

// An index that does not answer is no fault of the list.
func TestExplainWithoutIndex(t *testing.T) {
	s := needEngine(t)
	s.firstBuild(t) // it has uv
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "requirements.txt"), []byte("redis==5.0.1\n"), 0o644))
	s.refuse(t, command{
		dir:  dir,
		args: []string{"lock", "--cache-dir", s.cache(), "-r", "requirements.txt", "--suggest"},
		env:  []string{"UV_DEFAULT_INDEX=http://" + closed, "PIP_INDEX_URL=http://" + closed},
	}, "Connection refused", "check the network")
	require.NoFileExists(t, filepath.Join(dir, "requirements.suggested.txt"))
}

// An explanation ends with what is known by its limit, and says what is not. A local
// version is one line, whatever else the project would need.
func TestLongExplainEnds(t *testing.T) {
	t.Parallel()
	s := needEngine(t)
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "requirements.txt"), []byte("torch==2.1.0+cpu\nlogging\n"), 0o644))
	run := func(limit string) string {
		res := s.run(t, command{dir: dir, args: []string{"lock", "--cache-dir", s.lockCache(), "--progress", "quiet", "-r", "requirements.txt", "--explain-timeout", limit}})
		require.Equal(t, 1, res.code, res.stderr)
		require.Contains(t, res.stderr, "lucidbase: requirements.txt: line 2: logging: part of Python, remove it\n")
		return res.stderr
	}
	said := run("1ms")
	require.Contains(t, said, "lucidbase: requirements.txt: not looked at in time: line 1 of requirements.txt; whether all requirements go together\n")
	require.Contains(t, said, "--explain-timeout")
	said = run("10m")
	require.Contains(t, said, "lucidbase: requirements.txt: line 1: torch==2.1.0+cpu: a local version (PEP 440), which this index does not have: set UV_INDEX")
	require.NotContains(t, said, "not looked at")
	require.Equal(t, 1, strings.Count(said, "torch"), said)
}
