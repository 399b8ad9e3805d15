package engine

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/moby/buildkit/client"

	// Addresses of containers: docker-container://, kube-pod://, podman-container://, ssh://.
	_ "github.com/moby/buildkit/client/connhelper/dockercontainer"
	_ "github.com/moby/buildkit/client/connhelper/kubepod"
	_ "github.com/moby/buildkit/client/connhelper/npipe"
	_ "github.com/moby/buildkit/client/connhelper/podmancontainer"
	_ "github.com/moby/buildkit/client/connhelper/ssh"

	"github.com/lucid-project/base-images/internal/docker"
)

// Addresses that are no URL.
const (
	// embeddedAddress is the BuildKit in this program.
	embeddedAddress = "embedded"
	// dockerAddress is the BuildKit of the Docker that the docker command would use.
	dockerAddress = "docker"
)

// schemes are those of the addresses that have one.
var schemes = []string{"unix", "tcp", "ssh", "docker-container", "podman-container", "kube-pod", "npipe", buildxScheme}

// AddressError says that text is no address of a BuildKit.
type AddressError struct {
	Address string
	Err     error
}

// Error names the address.
func (e *AddressError) Error() string { return fmt.Sprintf("engine %q: %v", e.Address, e.Err) }

// Unwrap returns the cause.
func (e *AddressError) Unwrap() error { return e.Err }

// choice is where an engine builds.
type choice struct {
	addresses []string
	// why says who chose it.
	why string
}

// choose returns the nodes' addresses: those that are named, or BUILDKIT_HOST's; else
// the BuildKit in this program where it can run, else Docker's.
func choose(addresses string) (choice, error) {
	c := choice{why: "as asked for"}
	if addresses == "" {
		addresses, c.why = os.Getenv("BUILDKIT_HOST"), "as BUILDKIT_HOST says"
	}
	switch {
	case addresses != "":
	case embedded != nil && runtime.GOOS == "linux":
		addresses, c.why = embeddedAddress, "no other is named"
	default:
		addresses, c.why = dockerAddress, "no other is named, and none is in this program"
	}
	for _, address := range strings.Split(addresses, ",") {
		address = strings.TrimSpace(address)
		if err := checkAddress(address); err != nil {
			return choice{}, &AddressError{address, err}
		}
		if slices.Contains(c.addresses, address) {
			return choice{}, &AddressError{address, errors.New("named twice")}
		}
		c.addresses = append(c.addresses, address)
	}
	return c, nil
}

func checkAddress(address string) error {
	if address == embeddedAddress || address == dockerAddress {
		return nil
	}
	u, err := url.Parse(address)
	if err != nil {
		return errors.New(strings.TrimPrefix(err.Error(), `parse "`+address+`": `))
	}
	if !strings.Contains(address, "://") || !slices.Contains(schemes, u.Scheme) {
		return fmt.Errorf("not %s, %s or an address of %s://", embeddedAddress, dockerAddress, strings.Join(schemes, "://, "))
	}
	switch u.Scheme {
	case "tcp":
		if u.Port() == "" {
			return errors.New("no port")
		}
		for name := range u.Query() {
			if name != "cert" {
				return fmt.Errorf("%q is nothing to ask of it; cert=DIRECTORY is", name)
			}
		}
	case "unix", "npipe":
		if u.Path == "" {
			return errors.New("no path")
		}
	default:
		if u.Host == "" {
			return errors.New("no name")
		}
	}
	return nil
}

// endpoint is a BuildKit that is not this program's, and how its client gets there.
type endpoint struct {
	// name is how people know it.
	name string
	// address and options are what its client is made with.
	address string
	options []client.ClientOpt
	// dialled knows why it could not be dialled; nil where BuildKit's client dials.
	dialled *dialled
	// explain looks for why nobody answers; nil knows nothing more.
	explain func(ctx context.Context) error
	// check returns why it cannot build, if its workers show it; nil asks nothing.
	check func(ctx context.Context, workers []*client.WorkerInfo) error
}

// endpoints finds those of an address: a builder of buildx may have several.
func endpoints(ctx context.Context, address string) ([]endpoint, error) {
	scheme, name, _ := strings.Cut(address, "://")
	switch scheme {
	case dockerAddress:
		e, err := dockerEndpoint(ctx)
		return []endpoint{e}, err
	case buildxScheme:
		return buildxEndpoints(ctx, name)
	case "tcp":
		e, err := tcpEndpoint(ctx, address)
		return []endpoint{e}, err
	}
	e := endpoint{name: "BuildKit at " + address, address: address}
	if scheme == "unix" {
		dial := func(ctx context.Context) (net.Conn, error) { return new(net.Dialer).DialContext(ctx, "unix", name) }
		e.dialled = &dialled{}
		e.options = []client.ClientOpt{client.WithContextDialer(e.dialled.by(dial))}
	}
	return []endpoint{e}, nil
}

// dialled keeps why the last dialling failed: gRPC passes it on as text.
type dialled struct {
	mu  sync.Mutex
	err error
}

// by returns a dialler that is watched.
func (d *dialled) by(dial func(context.Context) (net.Conn, error)) func(context.Context, string) (net.Conn, error) {
	return func(ctx context.Context, _ string) (net.Conn, error) {
		conn, err := dial(ctx)
		d.mu.Lock()
		defer d.mu.Unlock()
		d.err = err
		return conn, err
	}
}

// failed returns the error without the address, which the endpoint's name has.
func (d *dialled) failed() error {
	if d == nil {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	var at *docker.Error
	if errors.As(d.err, &at) {
		return at.Err
	}
	var op *net.OpError
	if errors.As(d.err, &op) {
		return op.Err
	}
	return d.err
}
