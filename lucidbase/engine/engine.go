// Package engine builds Specs with BuildKit: one embedded in this program, or
// any other that BuildKit's client can reach. The result is the same, digest for
// digest, whichever built it.
package engine

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/moby/buildkit/client"
	// Addresses of containers: docker-container://, kube-pod://, podman-container://, ssh://.
	_ "github.com/moby/buildkit/client/connhelper/dockercontainer"
	_ "github.com/moby/buildkit/client/connhelper/kubepod"
	_ "github.com/moby/buildkit/client/connhelper/podmancontainer"
	_ "github.com/moby/buildkit/client/connhelper/ssh"
	"github.com/moby/buildkit/util/progress/progressui"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/engine/internal/image"
	"github.com/lucid-project/base-images/lucidbase/rootfs/alpine"
	"github.com/lucid-project/base-images/lucidbase/rootfs/debian"
)

// Engine builds with one BuildKit. Its methods may be called at once from several
// goroutines.
type Engine struct {
	options  options
	mu       sync.Mutex
	conn     *connection // nil until something has to be solved by the embedded BuildKit
	embedded bool        // reports whether BuildKit is this program's own
	platform ocispecs.Platform
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

// Option says how an engine works; the order of options does not matter.
type Option func(*options)

type options struct {
	cacheDir       string
	caBundle       string
	debianMirror   string
	securityMirror string
	imageMirrors   []string
	progress       io.Writer
	progressMode   string
	// registryTimeout is 0 for patient.DefaultTimeout.
	registryTimeout time.Duration
}

// WithCacheDir keeps everything that can be made again in dir. The default is
// "lucidbase" in the user's cache directory.
func WithCacheDir(dir string) Option { return func(o *options) { o.cacheDir = dir } }

// WithCABundle trusts the certificate authorities in a PEM file besides the
// system's, for downloads and in networked steps. The default is the file that
// SSL_CERT_FILE names, if any. It reaches no layer and no cache key.
func WithCABundle(file string) Option { return func(o *options) { o.caBundle = file } }

// WithDebianMirrors names where Debian's files come from, before the machine's
// own apt sources: base URLs of the main and of the security archive, each
// several with commas between. Empty means LUCID_DEBIAN_MIRROR and
// LUCID_DEBIAN_SECURITY_MIRROR.
func WithDebianMirrors(main, security string) Option {
	return func(o *options) {
		o.debianMirror = cmp.Or(main, o.debianMirror)
		o.securityMirror = cmp.Or(security, o.securityMirror)
	}
}

// WithImageMirrors names registries that are asked before an upstream image's own,
// each as "docker.io=HOST/PREFIX", or several with commas between. None means
// LUCID_IMAGE_MIRROR. What comes is checked by digest, wherever it is from.
func WithImageMirrors(mirrors ...string) Option {
	return func(o *options) {
		if len(mirrors) > 0 {
			o.imageMirrors = mirrors
		}
	}
}

// WithRegistryTimeout limits how long a registry may take for the first byte of an
// answer, and to half of how long it may send or take none of a body; a request
// that takes long but moves is not limited. The default is 30 seconds.
func WithRegistryTimeout(d time.Duration) Option {
	return func(o *options) { o.registryTimeout = d }
}

// WithProgress shows what happens on w: BuildKit's own display on a terminal,
// lines elsewhere. The default shows nothing.
func WithProgress(w io.Writer) Option { return func(o *options) { o.progress = w } }

// WithProgressMode chooses the display: "auto" (the default), "plain", "tty",
// "quiet" or "rawjson".
func WithProgressMode(mode string) Option { return func(o *options) { o.progressMode = mode } }

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
	if err := e.connect(ctx, address); err != nil {
		return nil, errors.Join(err, e.Close())
	}
	if err := e.openStore(); err != nil {
		return nil, errors.Join(err, e.Close())
	}
	return e, nil
}

func newOptions(opts []Option) options {
	o := options{
		caBundle:       os.Getenv("SSL_CERT_FILE"),
		progressMode:   "auto",
		debianMirror:   os.Getenv("LUCID_DEBIAN_MIRROR"),
		securityMirror: os.Getenv("LUCID_DEBIAN_SECURITY_MIRROR"),
		imageMirrors:   []string{os.Getenv("LUCID_IMAGE_MIRROR")},
	}
	for _, opt := range opts {
		opt(&o)
	}
	return o
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

// Archives are Debian's archives as the engine reaches them.
func (e *Engine) Archives() *debian.Archives { return e.archives }

func (o *options) prepareCacheDir() error {
	if o.cacheDir == "" {
		dir, err := os.UserCacheDir()
		if err != nil {
			return fmt.Errorf("finding the cache directory: %w", err)
		}
		o.cacheDir = filepath.Join(dir, "lucidbase")
	}
	if err := os.MkdirAll(o.cacheDir, 0o700); err != nil {
		return fmt.Errorf("making the cache directory: %w", err)
	}
	// Now, and not when the first file is written: that may be after a long wait.
	probe, err := os.MkdirTemp(o.cacheDir, "probe-")
	if err != nil {
		return fmt.Errorf("writing to the cache directory: %w", err)
	}
	return os.Remove(probe)
}

// connect connects to a remote BuildKit. The embedded one is started later, by
// connected.
func (e *Engine) connect(ctx context.Context, address string) (err error) {
	if address == "" {
		if embedded == nil {
			return errors.New("no engine: BUILDKIT_HOST is not set, and this program does not import lucidbase/engine/embedded")
		}
		e.embedded = true
		e.platform, err = lucidbase.ParsePlatform("linux/" + runtime.GOARCH)
		return err
	}
	e.conn = &connection{}
	if e.conn.client, err = client.New(ctx, address); err != nil {
		return err
	}
	workers, err := e.listWorkers(ctx)
	if err != nil {
		return fmt.Errorf("connecting to BuildKit at %s: %w", address, err)
	}
	if len(workers) == 0 || len(workers[0].Platforms) == 0 {
		return fmt.Errorf("BuildKit at %s has no worker", address)
	}
	// A worker lists its own platform first, what it can emulate after it.
	native := workers[0].Platforms[0]
	e.platform, err = lucidbase.ParsePlatform(native.OS + "/" + native.Architecture)
	if err != nil {
		return fmt.Errorf("BuildKit at %s: %w", address, err)
	}
	return nil
}

// answerTime is how long a BuildKit may take for its first answer.
const answerTime = 15 * time.Second

// listWorkers is the first call: it shows whether anybody is there.
func (e *Engine) listWorkers(ctx context.Context) ([]*client.WorkerInfo, error) {
	patient, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	workers, err := e.conn.client.ListWorkers(patient)
	switch {
	case err == nil:
		return workers, nil
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case patient.Err() != nil:
		return nil, fmt.Errorf("no answer in %s", answerTime)
	}
	return nil, errors.New(dialCause(err.Error()))
}

// dialCause drops gRPC's words before the cause, and all but the first line of
// what a helper such as ssh printed.
func dialCause(text string) string {
	for _, before := range []string{"failed to list workers: ", "Error while dialing: ", "stderr="} {
		if _, cause, ok := strings.Cut(text, before); ok {
			text = cause
		}
	}
	text, _, _ = strings.Cut(strings.ReplaceAll(text, `\r`, ""), `\n`)
	return strings.TrimSuffix(oneLine(text), `"`)
}

// start starts the embedded BuildKit, from nothing if reset is set.
func (e *Engine) start(ctx context.Context, reset bool) (*connection, error) {
	if err := e.forgetEngineSize(); err != nil {
		return nil, err
	}
	warn := e.note
	if e.options.progressMode == string(progressui.QuietMode) {
		warn = nil
	}
	backend, err := embedded(ctx, BackendConfig{
		StateDir: e.options.stateDir(),
		Notify:   e.note,
		Reset:    reset,
		Warn:     warn,
	})
	if err != nil {
		return nil, err
	}
	c := &connection{backend: backend}
	c.client, err = client.New(ctx, "passthrough:///embedded", client.WithContextDialer(
		func(ctx context.Context, _ string) (net.Conn, error) { return backend.Dial(ctx) }))
	return c, err
}

// Close ends the connection and stops an embedded BuildKit.
func (e *Engine) Close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.conn == nil {
		return nil
	}
	return e.conn.close()
}

func (o options) stateDir() string    { return filepath.Join(o.cacheDir, "buildkit") }
func (o options) contentDir() string  { return filepath.Join(o.cacheDir, "content") }
func (o options) logDir() string      { return filepath.Join(o.cacheDir, "logs") }
func (o options) downloadDir() string { return filepath.Join(o.cacheDir, "downloads") }
