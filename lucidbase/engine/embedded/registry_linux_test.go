package embedded

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/certs"
	"github.com/lucid-project/base-images/internal/certstest"
)

// A shared cache is reached with the certificates that this machine has for its registry.
func TestRegistryHostsReadCertificates(t *testing.T) {
	dir := certstest.New(t).Issue(t, "127.0.0.1", time.Now().Add(time.Hour))
	own, err := certs.Read(t.Context(), dir)
	require.NoError(t, err)
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.TLS, server.Config.ErrorLog = own, log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	get := func() error {
		hosts, err := registryHosts(trust{})("registry.example.com")
		require.NoError(t, err)
		res, err := hosts[0].Client.Get(server.URL)
		if err == nil {
			err = res.Body.Close()
		}
		return err
	}
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("XDG_CONFIG_HOME", home)
	require.ErrorContains(t, get(), "unknown authority")
	trusted := filepath.Join(home, ".docker/certs.d", strings.TrimPrefix(server.URL, "https://"))
	require.NoError(t, os.MkdirAll(trusted, 0o700))
	authority, err := os.ReadFile(filepath.Join(dir, "ca.pem"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(trusted, "ca.crt"), authority, 0o600))
	require.NoError(t, get())
}
