package engine

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/moby/buildkit/session"
	"github.com/moby/buildkit/session/secrets"
	"github.com/moby/buildkit/session/secrets/secretsprovider"

	"github.com/lucid-project/base-images/llbutil"
)

// secretStore answers for the secrets that every networked step declares. They
// are read when a step asks, and stay out of layers, logs and cache keys.
type secretStore struct{ caBundle string }

func (o options) secrets() session.Attachable {
	return secretsprovider.NewSecretProvider(secretStore{caBundle: o.caBundle})
}

// GetSecret reads the secret with that id.
func (s secretStore) GetSecret(_ context.Context, id string) ([]byte, error) {
	switch id {
	case llbutil.CASecret:
		return readSecret(s.caBundle)
	case llbutil.NetrcSecret:
		return readSecret(netrcFile())
	}
	if value, ok := os.LookupEnv(id); ok && value != "" {
		return []byte(value), nil
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
