// Package engine builds Specs with BuildKit: one embedded in this program, or
// any other that BuildKit's client can reach. The result is the same, digest for
// digest, whichever built it.
package engine

import (
	"context"
	"crypto/tls"
	"errors"
	"net/http"
	"os"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/lucid-project/base-images/lucidbase/engine/internal/image"
	"github.com/lucid-project/base-images/lucidbase/rootfs/alpine"
	"github.com/lucid-project/base-images/lucidbase/rootfs/debian"
)

// Engine builds with one BuildKit or several. Its methods may be called at once from several
// goroutines.
type Engine struct {
	options options
	nodes   []*node // at least one
	placing sync.Mutex
	// chosen says which nodes build, and who chose them; announce does, once, or is nil.
	chosen   string
	announce func()
	archives *debian.Archives
	upstream *alpine.Registries
	resolved sync.Map // what upstream images hold, by what was asked
	store    *store
	images   *image.Store
	// cacheFrom and cacheTo are what machines share.
	cacheFrom, cacheTo []cacheEntry
	// loginFailed is why a cache's registry could not be told who asks.
	loginFailed atomic.Pointer[error]
	// transport reaches registries, with the CA bundle trusted.
	transport http.RoundTripper
	// authorities are the certificates that a networked step trusts besides the
	// image's own.
	authorities []byte
	// holding is done once a Resolver uses the cache, until Close calls release.
	holding sync.Once
	release func()
}

// Open connects to BuildKit: to all that addresses names, with commas between; if it is
// empty, to those that BUILDKIT_HOST names. With neither it is the embedded one, on
// Linux and if the program imports package engine/embedded, and else Docker's. The
// embedded one starts with the first graph that has to be solved: a build that finds
// everything unchanged does not start it.
//
// An address is one that BuildKit's client understands (unix://, tcp://, ssh://,
// docker-container://, podman-container://, kube-pod://, npipe://), the nodes of a
// buildx builder as buildx://NAME, "docker" for the BuildKit of the Docker that the
// docker command would use, or "embedded". What goes over tcp:// is encrypted if the
// address ends with "?cert=DIR" or LUCID_ENGINE_CERTS names a directory; it has ca.pem,
// cert.pem and key.pem.
//
// Of several nodes, one that runs a platform natively builds for it. If a node is lost
// in the middle, another one does its work.
func Open(ctx context.Context, addresses string, opts ...Option) (*Engine, error) {
	o := newOptions(opts)
	chosen, err := choose(addresses)
	if err != nil {
		return nil, err
	}
	if err := o.prepareCacheDir(); err != nil {
		return nil, err
	}
	e := &Engine{options: o}
	if err := e.openCaches(); err != nil {
		return nil, err
	}
	if err := e.openStore(); err != nil {
		return nil, err
	}
	if e.nodes, err = e.openNodes(ctx, chosen); err != nil {
		return nil, err
	}
	e.chosen = chosen.line(e.nodes)
	e.announce = sync.OnceFunc(func() { e.note(e.chosen) })
	return e, nil
}

// String says which nodes build, and who chose them.
func (e *Engine) String() string { return e.chosen }

func (e *Engine) openCaches() error {
	var errFrom, errTo error
	e.cacheFrom, errFrom = parseCaches("from", e.options.cacheFrom)
	e.cacheTo, errTo = parseCaches("to", e.options.cacheTo)
	markInsecure(slices.Concat(e.cacheFrom, e.cacheTo), e.options.insecure)
	return errors.Join(errFrom, errTo)
}

func (e *Engine) openStore() (err error) {
	mirrors, err := debian.Mirrors(os.DirFS("/"), e.options.debianMirror, e.options.securityMirror)
	if err != nil {
		return err
	}
	images, err := alpine.ParseMirrors(e.options.imageMirrors...)
	if err != nil {
		return err
	}
	var trusted *tls.Config
	if trusted, e.authorities, err = trust(systemBundle(), e.options.caBundle); err != nil {
		return err
	}
	e.transport = e.options.registryTransport(trusted.Clone())
	e.archives = &debian.Archives{Cache: e.options.downloadDir(), Mirrors: mirrors, TLS: trusted}
	e.upstream = &alpine.Registries{Cache: e.options.downloadDir(), Mirrors: images, Transport: e.transport, Archives: e.archives, Warn: e.warnOnce()}
	if e.store, err = newStore(e.options.contentDir(), e.makeLayer); err != nil {
		return err
	}
	e.images = image.NewStore(e.options.contentDir())
	return nil
}

// Close ends the connection to BuildKit; an embedded one that nobody else uses
// stops.
func (e *Engine) Close() error {
	var errs []error
	if e.release != nil {
		e.release()
	}
	for _, n := range e.nodes {
		errs = append(errs, n.close())
	}
	return errors.Join(errs...)
}
