package engine

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/certstest"
)

func TestChoose(t *testing.T) {
	before := embedded
	t.Cleanup(func() { embedded = before })
	choosing := func(addresses, host string, linked bool) choice {
		t.Setenv("BUILDKIT_HOST", host)
		embedded = nil
		if linked {
			embedded = func(context.Context, BackendConfig) (Backend, error) { return nil, nil }
		}
		c, err := choose(addresses)
		require.NoError(t, err)
		return c
	}
	require.Equal(t, []string{"unix:///a", "tcp://b:1"}, choosing("unix:///a, tcp://b:1", "unix:///c", true).addresses)
	require.Equal(t, choice{[]string{"unix:///c"}, "as BUILDKIT_HOST says"}, choosing("", "unix:///c", true))
	require.Equal(t, []string{"docker"}, choosing("", "", false).addresses)
	if runtime.GOOS == "linux" {
		require.Equal(t, choice{[]string{"embedded"}, "no other is named"}, choosing("", "", true))
	} else {
		require.Equal(t, []string{"docker"}, choosing("", "", true).addresses)
	}
	require.Equal(t, []string{"embedded"}, choosing("embedded", "unix:///c", true).addresses)
}

func TestWrongAddresses(t *testing.T) {
	for address, says := range map[string]string{
		"somewhere":           `engine "somewhere": not embedded, docker or an address of unix://`,
		"tpc://build:1234":    "not embedded, docker or an address of",
		"Docker":              "not embedded, docker or",
		"/run/buildkitd.sock": "not embedded, docker or",
		"build:1234":          "not embedded, docker or",
		"tcp://build":         "no port",
		"tcp://build:12x4":    "invalid port",
		"tcp://b:1?certs=x":   `"certs" is nothing to ask of it; cert=DIRECTORY is`,
		"unix://":             "no path",
		"unix:///a,unix:///a": "named twice",
		"buildx://":           "no name",
		"unix:///a,":          "not embedded",
	} {
		_, err := Open(t.Context(), address, WithCacheDir(t.TempDir()))
		require.ErrorContains(t, err, says)
		require.ErrorAs(t, err, new(*AddressError))
		require.NotContains(t, err.Error(), "\n")
	}
}

func TestCertificates(t *testing.T) {
	t.Setenv("LUCID_ENGINE_CERTS", "")
	open := func(address string) error {
		_, err := Open(t.Context(), address, WithCacheDir(t.TempDir()))
		return err
	}
	empty := t.TempDir()
	require.ErrorContains(t, open("tcp://127.0.0.1:1?cert="+empty), "reading the certificates in "+empty+": no ca.pem, cert.pem or key.pem in it")
	require.ErrorContains(t, open("tcp://127.0.0.1:1?cert=/nonexistent"), "reading the certificates in /nonexistent: no ca.pem")
	half := certstest.New(t).Issue(t, "127.0.0.1", time.Now().Add(time.Hour))
	require.NoError(t, os.Remove(filepath.Join(half, "key.pem")))
	t.Setenv("LUCID_ENGINE_CERTS", half)
	require.ErrorContains(t, open("tcp://127.0.0.1:1"), "cert.pem and key.pem: tls: failed to find any PEM data in key input")
}
