//go:build linux

package e2e

import (
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase"
	servicefile "github.com/lucid-project/base-images/lucidbase/file"
	"github.com/lucid-project/base-images/lucidbase/lucidtest"
	"github.com/lucid-project/base-images/variants"
)

// Services as people have them, from real lists and in the ways in which they are
// started, answer on both CPUs: parts of one repository below /app, a script by its
// path, uvicorn, gunicorn with a factory and with Django, Celery, and code in the command.
func TestLongServices(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", needEngine(t).lockHome()) // TestLongFleet has built their packages
	services, err := servicefile.Reader{
		FS: os.DirFS("testdata"), Name: "services/lucidbase.yaml", Validate: true,
		From: func(dir string) variants.From { return variants.Dir(filepath.Join("testdata", dir)) },
	}.Services()
	require.NoError(t, err)
	for name, c := range map[string]struct{ url, want, log string }{
		"gateway": {"http://gateway:8000/health", `{"status":"ok"}`, ""},
		"orders":  {"http://orders:8090/health", `{"status":"ok","chunks":`, ""},
		"shop":    {"http://shop:5000/healthz", `{"ok":true,"page":"<h1>shop</h1>"}`, ""},
		"site":    {"http://site:8000/health/", `{"ok": true, "table": "polls_question"}`, ""},
		"queue":   {"http://queue:8000/", `{"ok":true}`, ""},
		"worker":  {"", "", "ready."},
	} {
		for _, p := range lucidbase.AllPlatforms() {
			t.Run(name+" "+p.Architecture, func(t *testing.T) {
				opts := []lucidtest.Option{lucidtest.Platform(p), lucidtest.Timeout(5 * time.Minute)}
				if c.url == "" {
					lucidtest.Run(t, services[name], append(opts, lucidtest.WaitLog(c.log))...)
					return
				}
				s := lucidtest.Run(t, services[name], append(opts, lucidtest.WaitHealthy())...)
				res, err := s.Client().Get(c.url)
				require.NoError(t, err)
				defer res.Body.Close()
				body, err := io.ReadAll(res.Body)
				require.NoError(t, err)
				require.Equal(t, 200, res.StatusCode)
				require.Contains(t, string(body), c.want)
			})
		}
	}
}
