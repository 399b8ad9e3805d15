package engine

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/moby/buildkit/session"
	"github.com/moby/buildkit/session/secrets"
	"github.com/moby/buildkit/session/secrets/secretsprovider"

	"github.com/lucid-project/base-images/internal/offer"
)

// secretStore answers for the secrets that every networked step declares. They
// are read when a step asks, and stay out of layers, logs and cache keys.
type secretStore struct{ authorities []byte }

func (e *Engine) secrets() session.Attachable {
	return secretsprovider.NewSecretProvider(secretStore{authorities: e.authorities})
}

// GetSecret reads the secret with that id.
func (s secretStore) GetSecret(ctx context.Context, id string) ([]byte, error) {
	switch id {
	case offer.CASecret:
		return s.authorities, nil
	case offer.NetrcSecret:
		return readSecret(netrcFile())
	case offer.IndexSecret:
		return namedIndexes(os.Environ())
	}
	// Nothing else: a BuildKit or a Spec of somebody's may ask for any variable.
	if value := os.Getenv(id); value != "" && slices.Contains(offer.Variables(), id) {
		return withKeyring(ctx, id, value)
	}
	return nil, secrets.ErrNotFound
}

func readSecret(file string) ([]byte, error) {
	if file == "" {
		return nil, secrets.ErrNotFound
	}
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, secrets.ErrNotFound
	}
	return data, err
}

func netrcFile() string {
	if file := os.Getenv("NETRC"); file != "" {
		return file
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return ""
	}
	return filepath.Join(home, ".netrc")
}
