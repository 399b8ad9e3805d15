package engine

import (
	"crypto/x509"
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/crane"
	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/keychain"
	"github.com/lucid-project/base-images/internal/testregistry"
	"github.com/lucid-project/base-images/lucidbase"
)

// pushTo builds a small image and pushes it as an Engine with the options does.
func pushTo(t *testing.T, host string, opts ...Option) error {
	t.Helper()
	e := newEngine(t, (&fakeBuildKit{}).node(lucidbase.LinuxAMD64))
	var err error
	e.transport, err = RegistryTransport(opts...)
	require.NoError(t, err)
	_, err = e.Build(t.Context(), tagJob(host+"/lucid/a:v1"))
	return err
}

// A registry whose certificate nobody knows: trusted by certs.d, or not verified.
func TestPushWithTLS(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("XDG_CONFIG_HOME", "")
	t.Setenv("DOCKER_CONFIG", "")
	r := testregistry.New(t)
	server := httptest.NewUnstartedServer(r)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	host := strings.TrimPrefix(server.URL, "https://")

	err := pushTo(t, host)
	require.ErrorContains(t, err, "pushing to "+host+"/lucid/a: ")
	require.ErrorAs(t, err, new(x509.UnknownAuthorityError))
	require.Empty(t, r.Requests())
	require.NoError(t, pushTo(t, host, WithInsecureRegistries(host)))

	certs := filepath.Join(home, ".docker", "certs.d", host)
	require.NoError(t, os.MkdirAll(certs, 0o700))
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	require.NoError(t, os.WriteFile(filepath.Join(certs, "ca.crt"), ca, 0o600))
	r.Reset()
	require.NoError(t, pushTo(t, host))
	_, err = crane.Digest(r.Ref("lucid/a:v1"))
	require.NoError(t, err)
}

// A helper that is not installed, and credentials that have expired, are reported before
// anything is built.
func TestPushWithoutCredentials(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("DOCKER_CONFIG", dir)
	t.Setenv("REGISTRY_AUTH_FILE", filepath.Join(dir, "auth.json"))
	r := testregistry.New(t, testregistry.BasicAuth("ann", "secret"))
	fake := &fakeBuildKit{}
	e := newEngine(t, fake.node(lucidbase.LinuxAMD64))
	e.transport = http.DefaultTransport
	build := func(config string) error {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "auth.json"), []byte(config), 0o600))
		_, err := e.Build(t.Context(), tagJob(r.Ref("lucid/a:v1")))
		return err
	}
	err := build(`{"credsStore":"not-installed"}`)
	require.ErrorContains(t, err, "pushing to "+r.Ref("lucid/a")+": finding credentials: reading "+filepath.Join(dir, "auth.json")+
		": asking the credential helper docker-credential-not-installed: executable file not found in $PATH")
	require.ErrorIs(t, err, exec.ErrNotFound)
	require.ErrorAs(t, err, new(*keychain.HelperError))
	require.ErrorAs(t, err, new(*PushError))
	require.EqualError(t, build(`{"auths":{"`+r.Host+`":{"username":"ann","password":"old"}}}`), "pushing to "+r.Ref("lucid/a")+": 401 Unauthorized")
	require.Empty(t, fake.solved)
	require.NoError(t, build(`{"auths":{"`+r.Host+`/lucid":{"username":"ann","password":"secret"}}}`), "for the namespace")
}
