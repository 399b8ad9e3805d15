package engine

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// Option says how an engine works; the order of options does not matter.
type Option func(*options)

type options struct {
	cacheDir       string
	caBundle       string
	debianMirror   string
	securityMirror string
	imageMirrors   []string
	insecure       []string
	cacheFrom      []string
	cacheTo        []string
	progress       io.Writer
	progressMode   string
	// registryTimeout is 0 for patient.DefaultTimeout.
	registryTimeout time.Duration
}

// WithCacheDir keeps everything that can be made again in dir. The default is
// "lucidbase" in the user's cache directory.
func WithCacheDir(dir string) Option { return func(o *options) { o.cacheDir = dir } }

// WithCABundle trusts the certificate authorities in a PEM file besides the
// system's, for downloads, in networked steps and, of the embedded BuildKit, for the
// registries of caches. The default is the file that
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

// WithInsecureRegistries names registries, as HOST or HOST:PORT, whose certificates are
// not verified, and which are spoken to without TLS where they have none. Whoever is
// between can read the credentials then.
func WithInsecureRegistries(hosts ...string) Option {
	return func(o *options) { o.insecure = append(o.insecure, hosts...) }
}

// WithCacheFrom takes the steps that other machines have run from caches that they share,
// in the words of buildx: "type=registry,ref=REF" or "type=local,src=DIR". What a cache
// lacks is made; ErrSilentCache is the exception, of a BuildKit that is not the embedded
// one.
func WithCacheFrom(caches ...string) Option { return func(o *options) { o.cacheFrom = caches } }

// WithCacheTo writes what was run to caches for other machines: "type=registry,ref=REF" or
// "type=local,dest=DIR", with "mode=max" for every step instead of those that ended up in
// the image. Each platform of each image has a tag of its own, which begins with REF's, or
// a directory in DIR.
func WithCacheTo(caches ...string) Option { return func(o *options) { o.cacheTo = caches } }

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

func (o options) stateDir() string    { return filepath.Join(o.cacheDir, "buildkit") }
func (o options) contentDir() string  { return filepath.Join(o.cacheDir, "content") }
func (o options) logDir() string      { return filepath.Join(o.cacheDir, "logs") }
func (o options) downloadDir() string { return filepath.Join(o.cacheDir, "downloads") }
func (o options) sandboxDir() string  { return filepath.Join(o.cacheDir, "sandbox") }
