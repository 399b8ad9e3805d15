//go:build !linux

package sandbox

import (
	"context"
	"fmt"
	"net"
	"os"
	"runtime"
)

// Sandbox is where containers run: Linux only.
type Sandbox struct{}

// Process is a started container.
type Process struct{}

// Open returns ErrCannotRun.
func Open(context.Context, Config) (*Sandbox, error) {
	return nil, fmt.Errorf("an image for Linux: %w on %s", ErrCannotRun, runtime.GOOS)
}

// Close does nothing.
func (*Sandbox) Close() error { return nil }

// Start returns ErrCannotRun.
func (*Sandbox) Start(context.Context, Container) (*Process, error) { return nil, ErrCannotRun }

// Done returns nil.
func (*Process) Done() <-chan struct{} { return nil }

// ExitCode returns ErrCannotRun.
func (*Process) ExitCode() (int, error) { return -1, ErrCannotRun }

// Signal returns ErrCannotRun.
func (*Process) Signal(context.Context, string) error { return ErrCannotRun }

// Exec returns ErrCannotRun.
func (*Process) Exec(context.Context, []string, *os.File, *os.File) (int, error) {
	return -1, ErrCannotRun
}

// DialContext returns ErrCannotRun.
func (*Process) DialContext(context.Context, string, string) (net.Conn, error) {
	return nil, ErrCannotRun
}

// Open returns ErrCannotRun.
func (*Process) Open(context.Context, string) (*os.File, error) { return nil, ErrCannotRun }

// Listening returns ErrCannotRun.
func (*Process) Listening(context.Context) ([]string, error) { return nil, ErrCannotRun }

// Layers returns nil.
func Layers(string) ([]Layer, error) { return nil, nil }

// Remove does nothing.
func Remove(context.Context, string, []string) ([]Layer, error) { return nil, nil }
