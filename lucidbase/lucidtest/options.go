package lucidtest

import (
	"errors"
	"strconv"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/lucid-project/base-images/internal/sandbox"
	"github.com/lucid-project/base-images/lucidbase"
)

// Option says how an image is run; the order of options does not matter, but for two
// that set the same.
type Option func(*options)

type options struct {
	args     []string
	env      []string
	mounts   []sandbox.Mount
	waits    []wait
	timeout  time.Duration
	network  bool
	platform *ocispecs.Platform
	peers    map[string]Peer
}

// defaultTimeout is far above what a service takes on a busy machine.
const defaultTimeout = time.Minute

func newOptions(opts []Option) options {
	o := options{timeout: defaultTimeout}
	for _, opt := range opts {
		opt(&o)
	}
	return o
}

// Args are the command's arguments instead of the image's, as in "docker run IMAGE
// ARGS": they come after the image's entrypoint.
func Args(args ...string) Option { return func(o *options) { o.args = args } }

// Env sets an environment variable.
func Env(name, value string) Option {
	return func(o *options) { o.env = append(o.env, name+"="+value) }
}

// Mount shows a file or directory of this machine in the container, read-only. A
// relative source is relative to the test's directory.
func Mount(source, target string) Option {
	return func(o *options) { o.mounts = append(o.mounts, sandbox.Mount{Source: source, Target: target}) }
}

// WaitHTTP lets Run return when a GET of the path is answered by a status below 400.
// The port is that of the environment variable PORT, or the only one that the image
// exposes; or it is before the path, as in ":8000/health".
func WaitHTTP(path string) Option { return waitFor(httpWait(path)) }

// WaitPort lets Run return when somebody listens on a TCP port.
func WaitPort(port int) Option { return waitFor(portWait(strconv.Itoa(port))) }

// WaitLog lets Run return when the output contains a text.
func WaitLog(text string) Option { return waitFor(logWait(text)) }

// WaitHealthy lets Run return when the image's health check succeeds.
func WaitHealthy() Option { return waitFor(healthWait{}) }

func waitFor(w wait) Option { return func(o *options) { o.waits = append(o.waits, w) } }

// Timeout limits each wait, and Stop, Wait and requests of Client. The default is a
// minute.
func Timeout(d time.Duration) Option { return func(o *options) { o.timeout = d } }

// Network lets the containers use this machine's network, where ports may clash.
func Network() Option { return func(o *options) { o.network = true } }

// Platform runs the image for another platform than this machine's.
func Platform(p ocispecs.Platform) Option { return func(o *options) { o.platform = &p } }

// Peer is a further container that a service needs: of a Spec, an Image, or Packages.
type Peer struct {
	Spec  lucidbase.Spec
	Image v1.Image
	// Packages are Debian's, such as "redis-server": with what they depend on, and what
	// every Debian system has, a shell too, they are an image for this machine. The
	// command is that of the option Args. It runs as the images' user in /data, which it
	// may write to, as to /run and /var; no script of a package has run. The newest
	// versions are taken, and kept in the cache directory for a week.
	Packages []string
	// Options may be any but Network, Platform, Timeout and Peers, which the service
	// decides on.
	Options []Option
}

// Peers starts further containers before the service: all at once, each until what it
// waits for. Every container reaches the others by name.
func Peers(t testing.TB, peers map[string]Peer) Option {
	t.Helper()
	for name, p := range peers {
		if err := p.check(name); err != nil {
			t.Fatalf("peer %q: %v", name, err)
		}
	}
	return func(o *options) { o.peers = peers }
}

func (p Peer) check(name string) error {
	kinds := 0
	for _, has := range []bool{p.Spec != nil, p.Image != nil, len(p.Packages) > 0} {
		if has {
			kinds++
		}
	}
	if kinds != 1 {
		return errors.New("one of Spec, Image and Packages is needed")
	}
	if len(p.Packages) > 0 && len(newOptions(p.Options).args) == 0 {
		return errors.New("Packages have no command: the option Args is needed")
	}
	return sandbox.CheckName(name)
}
