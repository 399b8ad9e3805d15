package engine

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/offer"
)

func TestTrust(t *testing.T) {
	server := httptest.NewTLSServer(http.NotFoundHandler())
	defer server.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	own := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	require.NoError(t, os.WriteFile(ca, append([]byte("# a comment\n"), own...), 0o600))
	trusted, authorities, err := trust("", ca)
	require.NoError(t, err)
	require.Equal(t, string(own), string(authorities))
	client := http.Client{Transport: (&options{}).registryTransport(trusted)}
	res, err := client.Get(server.URL)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())

	_, both, err := trust(ca, ca)
	require.NoError(t, err)
	require.Equal(t, authorities, both, "each certificate once")

	none := filepath.Join(t.TempDir(), "none.pem")
	require.NoError(t, os.WriteFile(none, []byte("nothing"), 0o600))
	_, _, err = trust("", none)
	require.ErrorContains(t, err, none+": no certificate in it")
	_, _, err = trust("", none+"x")
	require.ErrorContains(t, err, "reading the CA bundle: open "+none+"x")
}

// A step gets what networked steps declare and nothing else of the environment.
func TestSecrets(t *testing.T) {
	t.Setenv("UV_DEFAULT_INDEX", "https://index.example.com/simple")
	t.Setenv("CLOUD_TOKEN", "do not tell")
	t.Setenv("UV_INDEX_OURS_USERNAME", "u")
	t.Setenv("UV_INDEX_OURS_PASSWORD", "p")
	t.Setenv("UV_INDEX_STRATEGY", "first-index")
	t.Setenv("NETRC", filepath.Join(t.TempDir(), "none"))
	s := secretStore{authorities: []byte("pem")}
	for id, want := range map[string]string{
		"UV_DEFAULT_INDEX": "https://index.example.com/simple",
		offer.CASecret:     "pem",
		offer.NetrcSecret:  "",
		offer.IndexSecret:  `{"UV_INDEX_OURS_PASSWORD":"p","UV_INDEX_OURS_USERNAME":"u"}`,
		"CLOUD_TOKEN":      "",
		"PATH":             "",
	} {
		got, err := s.GetSecret(t.Context(), id)
		require.Equal(t, want, string(got), id)
		require.Equal(t, want == "", err != nil, id)
	}
}

// The keyring's password is added where an address names a user alone.
func TestKeyring(t *testing.T) {
	dir := t.TempDir()
	program := "#!/bin/sh\n[ \"$1 $2 $3\" = 'get index.example ann' ] && echo 'p/w+ d' || exit 1\n"
	require.NoError(t, os.WriteFile(filepath.Join(dir, "keyring"), []byte(program), 0o700)) //nolint:gosec // it is run
	t.Setenv("PATH", dir)
	const value = "ours=https://ann@index.example/simple https://other.example/simple https://bob:known@third.example"
	t.Setenv("UV_INDEX", value)
	get := func() (string, error) {
		got, err := secretStore{}.GetSecret(t.Context(), "UV_INDEX")
		return string(got), err
	}
	got, err := get()
	require.NoError(t, err)
	require.Equal(t, value, got, "nobody asks for the keyring")
	t.Setenv("UV_KEYRING_PROVIDER", "subprocess")
	got, err = get()
	require.NoError(t, err)
	require.Equal(t, "ours=https://ann:p%2Fw%2B%20d@index.example/simple https://other.example/simple https://bob:known@third.example", got)
	t.Setenv("UV_INDEX", "https://eve@index.example/simple")
	_, err = get()
	require.EqualError(t, err, "UV_INDEX: the keyring has no password of eve for index.example")
	t.Setenv("PATH", t.TempDir())
	_, err = get()
	require.ErrorContains(t, err, "UV_INDEX: asking the keyring for index.example: exec: \"keyring\": executable file not found")
}

func TestMirrorOptions(t *testing.T) {
	o := options{debianMirror: "env-main", securityMirror: "env-security"}
	WithDebianMirrors("flag-main", "")(&o)
	require.Equal(t, "flag-main", o.debianMirror)
	require.Equal(t, "env-security", o.securityMirror)
}
