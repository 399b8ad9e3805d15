//go:build linux

package e2e

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/testregistry"
)

// Whatever the Python index does to one request of a build or to all of them, the image
// is the right one, or there is none and the error says why; the next build works.
func TestLongIndexFaults(t *testing.T) {
	s := needEngine(t)
	index := newPackageIndex(t)
	server := testregistry.Before(t, index)
	o := ownLock{s, t.TempDir()}
	o.list(t, "src/main.py", "import lucidfault\n")
	o.list(t, "lucidbase.yaml", "services:\n  thing:\n    base: bare-base\n    lock: requirements.lock.txt\n    source:\n      - {from: src, to: /app/src}\n    command: [python, -m, src.main]\n")
	run := func(args ...string) result {
		t.Helper()
		return s.run(t, command{dir: o.dir, env: []string{"UV_INDEX=http://" + server.Host + "/simple", "UV_HTTP_TIMEOUT=2"}, args: append(args, "--cache-dir", o.lockCache(), "--progress", "plain")})
	}
	served := func(path string) bool {
		return slices.ContainsFunc(server.Requests(), func(r testregistry.Request) bool { return strings.Contains(r.Path, path) })
	}
	n := 0
	for _, c := range []struct {
		kind  string
		works bool // as one such request is asked again, or does no harm
	}{
		{"server error", true}, {"cut", true}, {"stall", true}, {"busy", true},
		{"other bytes", false}, {"another length", true}, {"a page", false}, {"not found", false},
	} {
		fault := testregistry.Faults()[c.kind]
		tries := []int{1}
		if c.works {
			tries = append(tries, 1000)
		}
		for _, times := range tries {
			n++
			version := "1." + strings.Repeat("1", n) // the pages that earlier builds keep do not have it
			index.change(func() { index.files["lucidfault-"+version+"-py3-none-any.whl"] = pureWheel(t, "lucidfault", version) })
			o.list(t, "requirements.txt", "lucidfault=="+version+"\n")
			res := run("lock", "-r", "requirements.txt", "--base", "bare-base")
			require.Zero(t, res.code, res.stderr)

			server.Reset()
			fault.Path, fault.Times = "/files/", times
			server.Inject(fault)
			build := []string{"build", "-f", "lucidbase.yaml", "--platform", "linux/amd64"}
			res = run(build...)
			require.True(t, served("/files/"), "the fault was not met")
			lines := strings.Split(strings.TrimSpace(res.stderr), "\n")
			t.Logf("%s, %d: %d %s", c.kind, times, res.code, strings.Join(lines[max(0, len(lines)-2):], "; "))
			if times == 1 && c.works {
				require.Zero(t, res.code, res.stderr)
			}
			if res.code != 0 {
				require.NoDirExists(t, filepath.Join(o.dir, "dist"))
				require.Contains(t, res.stderr, "lucidfault")
			}
			server.Reset()
			after := run(build...)
			require.Zero(t, after.code, after.stderr)
			if res.code == 0 {
				require.Equal(t, after.stdout, res.stdout)
			}
			require.NoError(t, os.RemoveAll(filepath.Join(o.dir, "dist")))
		}
	}
	server.Inject(testregistry.Fault{Path: "/simple/", Status: http.StatusInternalServerError, Times: 1000})
	o.list(t, "requirements.txt", "lucidfault==1.1\n")
	res := run("lock", "-r", "requirements.txt", "--base", "bare-base")
	require.Equal(t, 1, res.code)
	require.Contains(t, res.stderr, "500")
}
