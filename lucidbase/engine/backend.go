package engine

import (
	"context"
	"net"
)

// Backend is a running BuildKit that this program started.
type Backend interface {
	// Dial connects to BuildKit's gRPC control API.
	Dial(ctx context.Context) (net.Conn, error)
	// Damaged reports whether a build failed because the state is damaged, or
	// because BuildKit itself is gone.
	Damaged(failed error) bool
	// Close stops BuildKit; nothing of it is left running or mounted.
	Close() error
}

// BackendConfig is what a Backend is started with.
type BackendConfig struct {
	// StateDir is where BuildKit keeps its state and cache.
	StateDir string
	// Notify is called with one line when the start has to wait for another
	// process, or finds the state damaged and removes it.
	Notify func(line string)
	// Reset removes the state first.
	Reset bool
	// Warn is called with one line for each warning that BuildKit logs.
	Warn func(line string)
}

// OpenBackend starts a Backend.
type OpenBackend func(ctx context.Context, c BackendConfig) (Backend, error)

var embedded OpenBackend

// RegisterEmbedded is called by package engine/embedded when it is imported, as
// database drivers do: a program that only wants graphs or a remote BuildKit
// does not link a daemon.
func RegisterEmbedded(open OpenBackend) { embedded = open }
