// Package docker finds the Docker daemon that the docker command would use, and
// dials it.
package docker

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"runtime"

	"github.com/docker/cli/cli/config"
	"github.com/docker/cli/cli/connhelper"

	"github.com/lucid-project/base-images/internal/certs"
)

// Daemon is where a daemon listens.
type Daemon struct {
	// Address is as in DOCKER_HOST: unix://, npipe://, tcp:// or ssh://.
	Address string
	// Source is what names it, such as "DOCKER_HOST".
	Source string
	// Engine is what is expected there: Docker, if it is empty.
	Engine string

	tls *tls.Config // nil where the connection is not encrypted
}

// Error says that a daemon cannot be reached.
type Error struct {
	// Engine is what was expected there: Docker, if it is empty.
	Engine  string
	Address string
	Err     error
}

// Error names the address.
func (e *Error) Error() string {
	return fmt.Sprintf("connecting to %s at %s: %v", cmp.Or(e.Engine, "Docker"), e.Address, e.Err)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// SettingsError says that the settings which name a daemon cannot be read.
type SettingsError struct {
	What string // such as "context pi"
	Err  error
}

// Error says which settings.
func (e *SettingsError) Error() string { return fmt.Sprintf("reading Docker's %s: %v", e.What, e.Err) }

// Unwrap returns the cause.
func (e *SettingsError) Unwrap() error { return e.Err }

// defaultSource is the Source of the machine's own daemon.
const defaultSource = "Docker's default"

// defaultContext is the name of what is no stored context: DOCKER_HOST or the default.
const defaultContext = "default"

// Find returns the daemon that the docker command would use: the one of DOCKER_HOST,
// of DOCKER_CONTEXT or of the user's current context, or the machine's own.
func Find(ctx context.Context) (*Daemon, error) {
	if host := os.Getenv("DOCKER_HOST"); host != "" {
		d := &Daemon{Address: host, Source: "DOCKER_HOST"}
		var err error
		if os.Getenv("DOCKER_TLS_VERIFY") != "" {
			d.tls, err = certs.Read(ctx, cmp.Or(os.Getenv("DOCKER_CERT_PATH"), config.Dir()))
		}
		return d, err
	}
	name, source := os.Getenv("DOCKER_CONTEXT"), "DOCKER_CONTEXT"
	if name == "" {
		file, err := config.Load(config.Dir())
		if err != nil {
			return nil, &SettingsError{"configuration", err}
		}
		name, source = file.CurrentContext, "Docker's current context "+file.CurrentContext
	}
	if name == "" || name == defaultContext {
		return &Daemon{Address: defaultAddress(), Source: defaultSource}, nil
	}
	d, err := fromContext(name)
	if err != nil {
		return nil, &SettingsError{"context " + name, err}
	}
	d.Source = source
	return d, nil
}

func defaultAddress() string {
	if runtime.GOOS == "windows" {
		return "npipe:////./pipe/docker_engine"
	}
	return "unix:///var/run/docker.sock"
}

// Dial connects to the daemon. An error is an *Error.
func (d *Daemon) Dial(ctx context.Context) (net.Conn, error) {
	conn, err := d.dial(ctx)
	if err != nil {
		return nil, d.failed(err)
	}
	return conn, nil
}

func (d *Daemon) failed(err error) error { return &Error{d.Engine, d.Address, err} }

func (d *Daemon) dial(ctx context.Context) (net.Conn, error) {
	u, err := url.Parse(d.Address)
	if err != nil {
		return nil, err
	}
	var dialer net.Dialer
	switch u.Scheme {
	case "unix":
		return cause(dialer.DialContext(ctx, "unix", u.Path))
	case "npipe":
		return dialPipe(ctx, u.Path)
	case "tcp", "http", "https":
		if d.tls != nil {
			encrypted := tls.Dialer{NetDialer: &dialer, Config: d.tls}
			return cause(encrypted.DialContext(ctx, "tcp", withPort(u, "2376")))
		}
		return cause(dialer.DialContext(ctx, "tcp", withPort(u, "2375")))
	case "ssh":
		helper, err := connhelper.GetConnectionHelper(d.Address)
		if err != nil {
			return nil, err
		}
		// The ssh program lives as long as the connection, not as the dialling.
		conn, err := helper.Dialer(context.WithoutCancel(ctx), "", "")
		if err != nil {
			return nil, err
		}
		return throughSSH{conn, d}, nil
	}
	return nil, errors.New("not an address of unix://, npipe://, tcp:// or ssh://")
}

func withPort(u *url.URL, port string) string {
	return net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), port))
}

// cause drops the address, which Error names, from an error of package net.
func cause(conn net.Conn, err error) (net.Conn, error) {
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "dial" {
		return nil, op.Err
	}
	return conn, err
}

// Default reports whether nothing names the daemon: it is where one would be.
func (d *Daemon) Default() bool { return d.Source == defaultSource }
