package engine

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTrust(t *testing.T) {
	server := httptest.NewTLSServer(http.NotFoundHandler())
	defer server.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600))
	trusted, err := options{caBundle: ca}.trust()
	require.NoError(t, err)
	client := http.Client{Transport: registryTransport(trusted)}
	res, err := client.Get(server.URL)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())

	none := filepath.Join(t.TempDir(), "none.pem")
	require.NoError(t, os.WriteFile(none, []byte("nothing"), 0o600))
	_, err = options{caBundle: none}.trust()
	require.ErrorContains(t, err, none+": no certificate in it")
	_, err = options{caBundle: none + "x"}.trust()
	require.ErrorContains(t, err, "reading the CA bundle: open "+none+"x")
}
