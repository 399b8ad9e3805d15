package embedded

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"maps"
	"net/http"
	"sync"
	"time"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/remotes/docker"
	"github.com/distribution/reference"
	"github.com/moby/buildkit/cache/remotecache"
	"github.com/moby/buildkit/cache/remotecache/registry"
	"github.com/moby/buildkit/session"
	"github.com/moby/buildkit/session/secrets"
	"github.com/moby/buildkit/util/resolver"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/lucid-project/base-images/internal/offer"
	"github.com/lucid-project/base-images/internal/patient"
	"github.com/lucid-project/base-images/internal/registrytls"
)

// patience is short: containerd's client asks again, several times.
const patience = 15 * time.Second

// attrInsecure is the attribute of a cache whose registry's certificate is not verified.
const attrInsecure = "registry.insecure"

// registries reaches the registries of caches, each build's with what that build trusts.
type registries struct {
	sessions *session.Manager

	mu    sync.Mutex
	hosts map[trust]docker.RegistryHosts
}

// trust is what the certificates of a registry are judged by, besides certs.d.
type trust struct {
	authorities string // PEM; empty is the system's
	insecure    string // the registry whose certificate is not verified, if any
}

func newRegistries(sessions *session.Manager) *registries {
	return &registries{sessions: sessions, hosts: map[trust]docker.RegistryHosts{}}
}

// importer is BuildKit's for caches to take steps from.
func (r *registries) importer(store content.Store) remotecache.ResolveCacheImporterFunc {
	return func(ctx context.Context, g session.Group, attrs map[string]string) (importer remotecache.Importer, desc ocispecs.Descriptor, err error) {
		err = r.use(ctx, g, attrs, func(attrs map[string]string, hosts docker.RegistryHosts) error {
			importer, desc, err = registry.ResolveCacheImporterFunc(r.sessions, store, hosts)(ctx, g, attrs)
			return err
		})
		return importer, desc, err
	}
}

// exporter is BuildKit's for caches to write steps to.
func (r *registries) exporter() remotecache.ResolveCacheExporterFunc {
	return func(ctx context.Context, g session.Group, attrs map[string]string) (exporter remotecache.Exporter, err error) {
		err = r.use(ctx, g, attrs, func(attrs map[string]string, hosts docker.RegistryHosts) error {
			exporter, err = registry.ResolveCacheExporterFunc(r.sessions, hosts)(ctx, g, attrs)
			return err
		})
		return exporter, err
	}
}

// use calls f with the registries as a build reaches them. BuildKit's pool keeps how a
// repository was reached for all builds that follow: so it is emptied, and nobody else
// may fill it until it has asked for this build's.
func (r *registries) use(ctx context.Context, g session.Group, attrs map[string]string, f func(map[string]string, docker.RegistryHosts) error) error {
	t, err := r.trustOf(ctx, g, attrs)
	if err != nil {
		return err
	}
	attrs = maps.Clone(attrs)
	delete(attrs, attrInsecure) // BuildKit would reach it without patience
	r.mu.Lock()
	unlock := sync.OnceFunc(r.mu.Unlock)
	defer unlock()
	hosts := r.hosts[t]
	if hosts == nil {
		hosts = registryHosts(t)
		r.hosts[t] = hosts
	}
	resolver.DefaultPool.Clear()
	return f(attrs, func(host string) ([]docker.RegistryHost, error) {
		unlock()
		return hosts(host)
	})
}

// trustOf asks the client of a build what it trusts.
func (r *registries) trustOf(ctx context.Context, g session.Group, attrs map[string]string) (t trust, err error) {
	if attrs[attrInsecure] == "true" {
		ref, err := reference.ParseNormalizedNamed(attrs["ref"])
		if err != nil {
			return trust{}, err
		}
		t.insecure = reference.Domain(ref)
	}
	err = r.sessions.Any(ctx, g, func(ctx context.Context, _ string, c session.Caller) error {
		pem, err := secrets.GetSecret(ctx, c, offer.CASecret)
		if errors.Is(err, secrets.ErrNotFound) {
			return nil
		}
		t.authorities = string(pem)
		return err
	})
	return t, err
}

// registryHosts reaches registries as BuildKit does, with the certificates that pushes
// read, and not for ever: of one that falls silent BuildKit would wait for the next byte
// as long as the build is let.
func registryHosts(t trust) docker.RegistryHosts {
	base := &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		MaxIdleConnsPerHost:   4,
		IdleConnTimeout:       2 * time.Minute,
		ExpectContinueTimeout: 5 * time.Second,
		// One connection's flow control would limit what is pushed.
		TLSNextProto: map[string]func(string, *tls.Conn) http.RoundTripper{},
	}
	if t.authorities != "" {
		pool := x509.NewCertPool()
		pool.AppendCertsFromPEM([]byte(t.authorities))
		base.TLSClientConfig = &tls.Config{RootCAs: pool}
	}
	transport := patient.New(base, patience)
	transport.Base = &registrytls.Transport{Base: transport.Base.(*http.Transport), Dirs: registrytls.Dirs(), Insecure: []string{t.insecure}}
	plain := func(host string) (bool, error) {
		if host == t.insecure {
			return false, nil // TLS is tried first
		}
		return docker.MatchLocalhost(host)
	}
	return docker.ConfigureDefaultRegistries(docker.WithClient(&http.Client{Transport: transport}), docker.WithPlainHTTP(plain))
}
