package docker

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/docker/cli/cli/config"
	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/certstest"
)

// clean is an environment in which nothing names a daemon; it returns Docker's
// configuration directory.
func clean(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"} {
		t.Setenv(name, "")
	}
	before, dir := config.Dir(), t.TempDir()
	config.SetDir(dir)
	t.Cleanup(func() { config.SetDir(before) })
	return dir
}

// storeContext writes a context's files as "docker context create" does.
func storeContext(t *testing.T, dir, name, host string, files map[string][]byte) {
	t.Helper()
	id := sha256.Sum256([]byte(name))
	meta := filepath.Join(dir, "contexts", "meta", hex.EncodeToString(id[:]))
	require.NoError(t, os.MkdirAll(meta, 0o700))
	data, err := json.Marshal(map[string]any{"Name": name, "Metadata": map[string]any{}, "Endpoints": map[string]any{"docker": map[string]any{"Host": host, "SkipTLSVerify": false}}})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(meta, "meta.json"), data, 0o600))
	certs := filepath.Join(dir, "contexts", "tls", hex.EncodeToString(id[:]), "docker")
	require.NoError(t, os.MkdirAll(certs, 0o700))
	for file, data := range files {
		require.NoError(t, os.WriteFile(filepath.Join(certs, file), data, 0o600))
	}
}

func TestFind(t *testing.T) {
	dir := clean(t)
	find := func() (address, source string) {
		d, err := Find(t.Context())
		require.NoError(t, err)
		return d.Address, d.Source
	}
	address, source := find()
	require.Equal(t, defaultAddress(), address)
	require.Equal(t, "Docker's default", source)

	storeContext(t, dir, "pi", "ssh://pi@192.0.2.1", nil)
	storeContext(t, dir, "server", "tcp://192.0.2.2:2376", nil)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "config.json"), []byte(`{"currentContext":"pi"}`), 0o600))
	address, source = find()
	require.Equal(t, "ssh://pi@192.0.2.1", address)
	require.Equal(t, "Docker's current context pi", source)

	t.Setenv("DOCKER_CONTEXT", "server")
	address, source = find()
	require.Equal(t, "tcp://192.0.2.2:2376", address)
	require.Equal(t, "DOCKER_CONTEXT", source)

	t.Setenv("DOCKER_HOST", "unix:///run/podman.sock")
	address, source = find()
	require.Equal(t, "unix:///run/podman.sock", address)
	require.Equal(t, "DOCKER_HOST", source)

	t.Setenv("DOCKER_HOST", "")
	t.Setenv("DOCKER_CONTEXT", "nobody")
	_, err := Find(t.Context())
	require.ErrorContains(t, err, "reading Docker's context nobody: ")
}

// Whatever the connection is, what is sent arrives.
func TestDial(t *testing.T) {
	dir := clean(t)
	echo := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "docker") })
	ask := func(d *Daemon) (string, error) {
		conn, err := d.Dial(t.Context())
		if err != nil {
			return "", err
		}
		defer conn.Close()
		_, err = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n")
		require.NoError(t, err)
		said, err := io.ReadAll(conn)
		return string(said), err
	}
	works := func(d *Daemon, err error) {
		t.Helper()
		require.NoError(t, err)
		said, err := ask(d)
		require.NoError(t, err)
		require.Contains(t, said, "docker")
	}
	plain, encrypted := httptest.NewServer(echo), httptest.NewTLSServer(echo)
	defer plain.Close()
	defer encrypted.Close()
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: encrypted.Certificate().Raw})

	socket := filepath.Join(t.TempDir(), "docker.sock")
	listener, err := net.Listen("unix", socket)
	require.NoError(t, err)
	server := &http.Server{Handler: echo} //nolint:gosec // of a test
	go func() { _ = server.Serve(listener) }()
	defer server.Close()
	works(&Daemon{Address: "unix://" + socket}, nil)
	works(&Daemon{Address: strings.Replace(plain.URL, "http:", "tcp:", 1)}, nil)

	address := strings.Replace(encrypted.URL, "https:", "tcp:", 1)
	storeContext(t, dir, "tls", address, map[string][]byte{"ca.pem": ca})
	t.Setenv("DOCKER_CONTEXT", "tls")
	works(Find(t.Context()))
	t.Setenv("DOCKER_HOST", address)
	t.Setenv("DOCKER_TLS_VERIFY", "1")
	t.Setenv("DOCKER_CERT_PATH", t.TempDir())
	_, err = Find(t.Context())
	require.ErrorContains(t, err, "no ca.pem, cert.pem or key.pem in it")
	t.Setenv("DOCKER_CERT_PATH", certstest.New(t).Issue(t, "127.0.0.1", time.Now().Add(time.Hour)))
	d, err := Find(t.Context())
	require.NoError(t, err)
	_, err = ask(d)
	require.ErrorContains(t, err, "connecting to Docker at "+address+": tls: failed to verify certificate")
	require.NoError(t, os.WriteFile(filepath.Join(os.Getenv("DOCKER_CERT_PATH"), "ca.pem"), ca, 0o600))
	works(Find(t.Context()))
	require.NoError(t, os.WriteFile(filepath.Join(os.Getenv("DOCKER_CERT_PATH"), "ca.pem"), []byte("x"), 0o600))
	_, err = Find(t.Context())
	require.ErrorContains(t, err, "ca.pem: no certificate in it")

	bin := t.TempDir()
	script := "#!/bin/sh\necho docker \"$@\"\n"
	require.NoError(t, os.WriteFile(filepath.Join(bin, "ssh"), []byte(script), 0o755)) //nolint:gosec // it is run
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	conn, err := (&Daemon{Address: "ssh://pi@192.0.2.1"}).Dial(t.Context())
	require.NoError(t, err)
	said := make([]byte, 300)
	n, err := conn.Read(said)
	require.NoError(t, err)
	require.Contains(t, string(said[:n]), "192.0.2.1 docker system dial-stdio")
	_ = conn.Close()
}

// Why nobody answers is said in one line, and known by type.
func TestDialFails(t *testing.T) {
	for address, says := range map[string]string{
		"unix:///nonexistent/docker.sock": "connecting to Docker at unix:///nonexistent/docker.sock: connect: no such file or directory",
		"tcp://127.0.0.1:1":               "connecting to Docker at tcp://127.0.0.1:1: connect: connection refused",
		"docker.example.com:2375":         "not an address of unix://, npipe://, tcp:// or ssh://",
		"npipe:////./pipe/docker_engine":  "npipe:// is for Windows",
	} {
		_, err := (&Daemon{Address: address}).Dial(t.Context())
		require.ErrorContains(t, err, says)
		require.NotContains(t, err.Error(), "\n")
		require.ErrorAs(t, err, new(*Error))
	}
	_, err := (&Daemon{Address: "unix:///nonexistent/docker.sock"}).Dial(t.Context())
	require.True(t, errors.Is(err, fs.ErrNotExist))
}
