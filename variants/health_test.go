package variants_test

import (
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/variants"
)

// probe runs the check of a service with this machine's Python; port is what the
// variable PORT says when it runs.
func probe(t *testing.T, h variants.Health, port string) (said string, code int) {
	t.Helper()
	g, err := variants.Service{Name: "x", Base: variants.Bare{Locks: fixture(t)}, Command: []string{"python"}, Port: 1, Health: h}.Graph(onAMD64)
	require.NoError(t, err)
	cmd := exec.Command("python3", g.Config.Config.Healthcheck.Test[2:]...)
	cmd.Env = []string{"PATH=/usr/bin:/bin:/usr/local/bin", "PORT=" + port}
	out, err := cmd.CombinedOutput()
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) {
		require.NoError(t, err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

func portOf(t *testing.T, address string) string {
	t.Helper()
	_, port, err := net.SplitHostPort(strings.TrimPrefix(address, "http://"))
	require.NoError(t, err)
	return port
}

// The check follows the port that the container has, and says in one line what is
// wrong.
func TestHealthScript(t *testing.T) {
	if testing.Short() {
		t.Skip("starts Python")
	}
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.String())
		switch r.URL.Path {
		case "/moved":
			http.Redirect(w, r, "/", http.StatusFound)
		case "/ill":
			http.Error(w, strings.Repeat("no database ", 1000), http.StatusServiceUnavailable)
		}
	}))
	defer server.Close()
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer silent.Close()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, closed.Close())
	other, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer other.Close()
	go func() {
		for {
			conn, err := other.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Write([]byte("SSH-2.0-x\r\n"))
			_ = conn.Close()
		}
	}()
	up, mute, down, ssh := portOf(t, server.URL), portOf(t, silent.Addr().String()), portOf(t, closed.Addr().String()), portOf(t, other.Addr().String())
	short := 500 * time.Millisecond
	for name, c := range map[string]struct {
		variants.Health
		port string
		want string // empty when all is well
	}{
		"well":               {variants.Health{Path: "/health?deep=1"}, up, ""},
		"moved":              {variants.Health{Path: "/moved"}, up, ""},
		"ill":                {variants.Health{Path: "/ill"}, up, "/ill: 503 Service Unavailable"},
		"open":               {variants.Health{TCP: true}, mute, ""},
		"closed":             {variants.Health{TCP: true}, down, ": [Errno 111] Connection refused"},
		"never answers":      {variants.Health{Path: "/", Timeout: short}, mute, "/: timed out"},
		"no HTTP":            {variants.Health{Path: "/"}, ssh, "/: no answer in HTTP"},
		"a port that is not": {variants.Health{TCP: true}, "web", ": invalid literal for int() with base 10: 'web'"},
	} {
		t.Run(name, func(t *testing.T) {
			said, code := probe(t, c.Health, c.port)
			if c.want == "" {
				require.Empty(t, said)
				require.Zero(t, code)
				return
			}
			require.Equal(t, "127.0.0.1:"+c.port+c.want+"\n", said)
			require.Equal(t, 1, code)
		})
	}
	require.Contains(t, asked, "/health?deep=1")
}
