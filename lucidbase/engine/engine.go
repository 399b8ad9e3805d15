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
	"sync"

	// Addresses of containers: docker-container://, kube-pod://, podman-container://, ssh://.
	_ "github.com/moby/buildkit/client/connhelper/dockercontainer"
	_ "github.com/moby/buildkit/client/connhelper/kubepod"
	_ "github.com/moby/buildkit/client/connhelper/podmancontainer"
	_ "github.com/moby/buildkit/client/connhelper/ssh"

	"github.com/lucid-project/base-images/lucidbase/engine/internal/image"
	"github.com/lucid-project/base-images/lucidbase/rootfs/alpine"
	"github.com/lucid-project/base-images/lucidbase/rootfs/debian"
)

// Engine builds with one BuildKit. Its methods may be called at once from several
// goroutines.
type Engine struct {
	options  options
	nodes    []*node // at least one
	archives *debian.Archives
	upstream *alpine.Registries
	resolved sync.Map // what upstream images hold, by what was asked
	store    *store
	images   *image.Store
	// transport reaches registries, with the CA bundle trusted.
	transport http.RoundTripper
	// authorities are the certificates that a networked step trusts besides the
	// image's own.
	authorities []byte
}

// Open connects to the BuildKit at address, or to the one that BUILDKIT_HOST
// names if address is empty. With neither it is the embedded one, for which the
// program must import package engine/embedded; that starts with the first graph
// that has to be solved, which a build that finds everything unchanged has not.
//
// An address is anything BuildKit's client understands: unix://, tcp://, ssh://,
// docker-container://, podman-container://, kube-pod://. What goes over tcp:// is
// not encrypted, the build's secrets included: prefer ssh:// or a tunnel.
func Open(ctx context.Context, address string, opts ...Option) (*Engine, error) {
	o := newOptions(opts)
	if address == "" {
		address = os.Getenv("BUILDKIT_HOST")
	}
	if err := o.prepareCacheDir(); err != nil {
		return nil, err
	}
	e := &Engine{options: o}
	if err := e.openStore(); err != nil {
		return nil, err
	}
	var n *node
	var err error
	if address != "" {
		n, err = dialNode(ctx, address)
	} else {
		n, err = e.embeddedNode()
	}
	if err != nil {
		return nil, err
	}
	e.nodes = []*node{n}
	return e, nil
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
	e.upstream = &alpine.Registries{Cache: e.options.downloadDir(), Mirrors: images, Transport: e.transport, Archives: e.archives}
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
	for _, n := range e.nodes {
		errs = append(errs, n.close())
	}
	return errors.Join(errs...)
}
