package engine_test

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/certs"
	"github.com/lucid-project/base-images/internal/certstest"
	"github.com/lucid-project/base-images/internal/dockertest"
	"github.com/lucid-project/base-images/internal/keychain"
	"github.com/lucid-project/base-images/internal/testregistry"
	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/engine"
)

// One BuildKit serves builds that trust different authorities: the registry of a cache is
// reached with what the build trusts, whoever was there before.
func TestCacheRegistryIsTrustedByTheBuild(t *testing.T) {
	requireEngine(t)
	const here = "0.0.0.0" // leads to the loopback, and is none of its addresses, which would do without TLS
	issued := certstest.New(t).Issue(t, here, time.Now().Add(time.Hour))
	own, err := certs.Read(t.Context(), issued)
	require.NoError(t, err)
	server := httptest.NewUnstartedServer(testregistry.New(t))
	server.TLS, server.Config.ErrorLog = own, log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	require.NoError(t, err)
	host, dir := net.JoinHostPort(here, port), t.TempDir()
	cache := "type=registry,ref=" + host + "/lucid/cache,mode=max"

	build := func(address, cacheDir string, n int, opts ...engine.Option) (said string, err error) {
		log := &buffer{}
		opts = append(opts, engine.WithCacheDir(cacheDir), engine.WithProgress(log), engine.WithProgressMode("plain"))
		eng, err := engine.Open(t.Context(), address, opts...)
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, eng.Close()) }) // later: the next one shares its BuildKit
		_, err = eng.Build(t.Context(), engine.Job{
			Spec: ran(t, [2]string{"write", fmt.Sprint(n)}), Platforms: []ocispecs.Platform{lucidbase.LinuxAMD64}, To: engine.Keep("lucid/conform"),
		})
		return log.String(), err
	}
	authority := engine.WithCABundle(filepath.Join(issued, "ca.pem"))
	elsewhere := dockertest.Buildkitd{}.Start(t).Host // has authorities of its own
	for i, c := range []struct {
		name, address string
		opt           engine.Option
		says          string
	}{
		{"nobody", "embedded", engine.WithCABundle(""), "certificate signed by unknown authority"},
		{"an authority", "embedded", authority, ""},
		{"nobody afterwards", "embedded", engine.WithCABundle(""), "certificate signed by unknown authority"},
		{"everybody", "embedded", engine.WithInsecureRegistries(host), ""},
		{"an authority, elsewhere", elsewhere, authority, "certificate signed by unknown authority"},
		{"everybody, elsewhere", elsewhere, engine.WithInsecureRegistries(host), ""},
	} {
		_, err := build(c.address, dir, i, c.opt, engine.WithCacheTo(cache))
		if c.says != "" {
			require.ErrorContains(t, err, c.says, c.name)
			continue
		}
		require.NoError(t, err, c.name)
		reader := c.address
		if reader == elsewhere { // it has the step already
			reader = dockertest.Buildkitd{}.Start(t).Host
		}
		said, err := build(reader, t.TempDir(), i, c.opt, engine.WithCacheFrom(cache))
		require.NoError(t, err, c.name)
		require.Contains(t, said, "CACHED", c.name)
	}
}

// The registry of a cache gets the credentials that a push has, and what is wrong with
// them is known by type.
func TestCacheCredentials(t *testing.T) {
	requireEngine(t)
	r := testregistry.New(t, testregistry.BasicAuth("ann", "secret"))
	dir := t.TempDir()
	file := filepath.Join(dir, "auth.json")
	t.Setenv("DOCKER_CONFIG", dir)
	t.Setenv("REGISTRY_AUTH_FILE", file)
	for i, c := range []struct{ config, says string }{
		{`{"auths":{"` + r.Host + `/lucid":{"username":"ann","password":"secret"}}}`, ""},
		{`{"auths":{"` + r.Host + `":{"username":"ann","password":"old"}}}`, "401 Unauthorized"},
		{`{"credsStore":"not-installed"}`, "finding credentials: reading " + file + ": asking the credential helper docker-credential-not-installed: executable file not found"},
	} {
		require.NoError(t, os.WriteFile(file, []byte(c.config), 0o600))
		eng, err := engine.Open(t.Context(), "embedded", engine.WithCacheDir(t.TempDir()), engine.WithCacheTo("type=registry,ref="+r.Ref("lucid/cache")))
		require.NoError(t, err)
		_, err = eng.Build(t.Context(), engine.Job{
			Spec: ran(t, [2]string{"write", fmt.Sprint(i)}), Platforms: []ocispecs.Platform{lucidbase.LinuxAMD64}, To: engine.Keep("lucid/conform"),
		})
		require.NoError(t, eng.Close())
		if c.says == "" {
			require.NoError(t, err)
			continue
		}
		require.ErrorContains(t, err, "writing the cache "+r.Ref("lucid/cache")+": ")
		require.ErrorContains(t, err, c.says)
		require.ErrorAs(t, err, new(*engine.CacheWriteError))
		if i == 2 {
			require.ErrorAs(t, err, new(*keychain.HelperError))
		}
	}
}
