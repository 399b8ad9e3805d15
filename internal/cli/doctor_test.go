package cli

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/doctor"
)

// A registry that does not know the user, a bundle without certificates, an engine that
// is not there: each is a bad line, and the status is 1. Nothing is written.
func TestDoctor(t *testing.T) {
	registry := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
		w.WriteHeader(http.StatusUnauthorized)
	}))
	defer registry.Close()
	mirror := httptest.NewServer(http.NotFoundHandler())
	defer mirror.Close()
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	cache := filepath.Join(t.TempDir(), "cache")
	common := []string{"doctor", "--cache-dir", cache, "--debian-mirror", mirror.URL, "--debian-security-mirror", mirror.URL, "--format", "json"}
	for name, c := range map[string]struct {
		args  []string
		check string
		says  string
	}{
		"registry": {[]string{"--registry", strings.TrimPrefix(registry.URL, "http://") + "/lucid"}, "registry", "401 Unauthorized"},
		"bundle":   {[]string{"--ca-bundle", "doctor_test.go"}, "trust", "no certificate"},
		"engine":   {[]string{"--engine", "unix://" + filepath.Join(t.TempDir(), "none")}, "engine", "no such file"},
	} {
		t.Run(name, func(t *testing.T) {
			status, out, _ := run(t, nil, append(common, c.args...)...)
			require.Equal(t, statusFailed, status)
			var findings []doctor.Finding
			require.NoError(t, json.Unmarshal([]byte(out), &findings))
			for _, f := range findings {
				if f.Check == c.check {
					require.Equal(t, doctor.Bad, f.Status)
					require.Contains(t, f.Found, c.says)
					require.NotEmpty(t, f.Advice)
				}
			}
			require.NoDirExists(t, cache)
		})
	}
	status, _, errs := run(t, nil, "doctor", "--format", "xml")
	require.Equal(t, statusUsage, status, errs)
}
