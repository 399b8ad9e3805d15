// Package load puts images into the stores of container engines on this machine: those of
// Docker and Podman by their HTTP API, containerd's by its own. What a store has is not
// sent again, as far as its API says what that is.
package load

import (
	"context"
	"errors"
	"fmt"
	"strings"

	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/lucid-project/base-images/internal/docker"
	"github.com/lucid-project/base-images/lucidbase/engine/internal/image"
)

// Store is an image store that answers.
type Store interface {
	// Platform is the one of an image for several that the store keeps; nil means that it
	// keeps all.
	Platform() *ocispecs.Platform
	// Load puts images into the store, and reads back that they are there.
	Load(ctx context.Context, images []image.Named) error
	// String names the store and where it is.
	String() string
	Close() error
}

// Error says that images were not loaded, or would not be.
type Error struct {
	// Store is what the user called it; empty means any.
	Store string
	Err   error
}

// Error says what was to be done.
func (e *Error) Error() string { return "loading into " + e.name() + ": " + e.Err.Error() }

func (e *Error) name() string {
	if e.Store == "" {
		return "Docker or Podman"
	}
	return e.Store
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// The stores that Open knows by a word; another is containerd's, by its address.
const (
	Docker     = "docker"
	Podman     = "podman"
	Containerd = "containerd:"
)

// Parse reports whether text names a store, or is empty.
func Parse(text string) error {
	switch address, containerd := strings.CutPrefix(text, Containerd); {
	case text == "", text == Docker, text == Podman:
		return nil
	case containerd && address == "":
		return errors.New("containerd has no address: containerd:/run/containerd/containerd.sock")
	case containerd:
		return nil
	}
	return fmt.Errorf("%q is not docker, podman or containerd:ADDRESS", text)
}

// Open connects to a store; the empty one is Docker, or else Podman. An error is an *Error.
func Open(ctx context.Context, store string) (Store, error) {
	s, err := open(ctx, store)
	if err != nil {
		return nil, &Error{store, err}
	}
	return s, nil
}

func open(ctx context.Context, store string) (Store, error) {
	if err := Parse(store); err != nil {
		return nil, err
	}
	if address, ok := strings.CutPrefix(store, Containerd); ok {
		return openContainerd(ctx, address)
	}
	var tried []error
	for _, find := range finders(store) {
		daemons, sure, err := find(ctx)
		if err != nil {
			return nil, err
		}
		for _, d := range daemons {
			s, err := openDaemon(ctx, d)
			if err == nil {
				return s, nil
			}
			if sure {
				return nil, err
			}
			tried = append(tried, err)
		}
	}
	return nil, lineError{errors.Join(tried...), "; "}
}

// finder returns daemons to try, and whether the user has named them: then nobody else
// is asked.
type finder func(context.Context) (daemons []*docker.Daemon, named bool, err error)

func finders(store string) []finder {
	switch store {
	case Docker:
		return []finder{findDocker}
	case Podman:
		return []finder{findPodman}
	}
	return []finder{findDocker, findPodman}
}

func findDocker(ctx context.Context) ([]*docker.Daemon, bool, error) {
	d, err := docker.Find(ctx)
	if err != nil {
		return nil, false, err
	}
	return []*docker.Daemon{d}, !d.Default(), nil
}

func findPodman(context.Context) ([]*docker.Daemon, bool, error) {
	daemons, named := docker.FindPodman()
	return daemons, named, nil
}

// lineError shows an error as one line, with a separator between its lines.
type lineError struct {
	error
	separator string
}

func (e lineError) Error() string { return strings.ReplaceAll(e.error.Error(), "\n", e.separator) }
func (e lineError) Unwrap() error { return e.error }
