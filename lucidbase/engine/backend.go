package engine

import (
	"context"
	"net"
)

// Backend is a connection to the BuildKit that is linked into this program, which
// other processes may use as well.
type Backend interface {
	// Dial connects to BuildKit's gRPC control API.
	Dial(ctx context.Context) (net.Conn, error)
	// Broken returns why a build failed through no fault of its own: BuildKit has
	// ended, or its state is damaged. The build may succeed on a Backend that is
	// opened after this one was closed. For any other error it returns nil.
	Broken(failed error) error
	// Close disconnects. BuildKit stops when nobody is connected any more; nothing of
	// it is then left running or mounted.
	Close() error
}

// BackendConfig is what a Backend is opened with.
type BackendConfig struct {
	// StateDir is where BuildKit keeps its state and cache.
	StateDir string
	// Notify is called with one line when the start has to wait for another
	// process, or finds the state damaged and makes it again.
	Notify func(line string)
	// Warn is called with one line for each warning that BuildKit logs.
	Warn func(line string)
}

// OpenBackend opens a Backend.
type OpenBackend func(ctx context.Context, c BackendConfig) (Backend, error)

var embedded OpenBackend

// RegisterEmbedded is called by package engine/embedded when it is imported, as
// database drivers do: a program that only wants graphs or a remote BuildKit
// does not link a daemon.
func RegisterEmbedded(open OpenBackend) { embedded = open }
