package cli

import (
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/certstest"
	"github.com/lucid-project/base-images/lucidbase/engine"
)

// checkLoad is the error of a store that is asked before a build.
func checkLoad(t *testing.T, store engine.Store) error {
	t.Helper()
	err := engine.LoadInto(store, "lucid/base").Output.Check(t.Context(), engine.Delivery{})
	require.Error(t, err)
	require.NotContains(t, err.Error(), "\n")
	return err
}

// What is wrong with a store of this machine is reported before the build, each with what to do.
func TestLoadHint(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("DOCKER_TLS_VERIFY", "")
	t.Setenv("DOCKER_HOST", "unix://"+filepath.Join(dir, "docker.sock"))
	t.Setenv("CONTAINER_HOST", "unix://"+filepath.Join(dir, "podman.sock"))
	for _, store := range []engine.Store{engine.AnyStore, engine.DockerStore, engine.PodmanStore} {
		require.Contains(t, hint(checkLoad(t, store)), "start Docker, or Podman's service")
	}
	dead, err := net.Listen("unix", filepath.Join(dir, "dead.sock"))
	require.NoError(t, err)
	dead.(*net.UnixListener).SetUnlinkOnClose(false)
	require.NoError(t, dead.Close())
	for _, name := range []string{"none", "dead.sock"} {
		require.Contains(t, hint(checkLoad(t, engine.ContainerdStore(filepath.Join(dir, name)))), "containerd's socket")
	}
	script := "#!/bin/sh\nhead -c 1 >/dev/null\necho 'ssh: nobody is there' >&2\necho more >&2\nexit 255\n"
	require.NoError(t, os.WriteFile(filepath.Join(dir, "ssh"), []byte(script), 0o700))
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	t.Setenv("DOCKER_HOST", "ssh://pi@192.0.2.1")
	err = checkLoad(t, engine.DockerStore)
	require.EqualError(t, err, "loading into docker: connecting to Docker at ssh://pi@192.0.2.1: ssh: nobody is there")
	require.Contains(t, hint(err), "DOCKER_HOST")
	t.Setenv("DOCKER_HOST", "")
	t.Setenv("DOCKER_CONTEXT", "nobody")
	require.Contains(t, hint(checkLoad(t, engine.DockerStore)), "docker context ls")

	old := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"Version":"19.03.15","ApiVersion":"1.40"}`))
	}))
	defer old.Close()
	t.Setenv("DOCKER_HOST", strings.Replace(old.URL, "http:", "tcp:", 1))
	require.ErrorContains(t, checkLoad(t, engine.DockerStore), "Docker 19.03.15 is too old: 20.10 is needed")
}

func TestLoadHintOfAWrongName(t *testing.T) {
	ca := certstest.New(t)
	dir := ca.Issue(t, "another.example", time.Now().Add(time.Hour))
	cert, err := tls.LoadX509KeyPair(filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"))
	require.NoError(t, err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	require.NoError(t, s.Listener.Close())
	s.Listener, s.TLS = listener, &tls.Config{Certificates: []tls.Certificate{cert}}
	s.StartTLS()
	defer s.Close()
	t.Setenv("DOCKER_HOST", "tcp://"+listener.Addr().String())
	t.Setenv("DOCKER_TLS_VERIFY", "1")
	t.Setenv("DOCKER_CERT_PATH", dir)
	err = checkLoad(t, engine.DockerStore)
	require.ErrorContains(t, err, "certificate")
	require.Contains(t, hint(err), "check the name in DOCKER_HOST")
}
