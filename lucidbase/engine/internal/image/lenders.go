package image

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/lucid-project/base-images/internal/checked"
)

// Lenders remembers of each blob which repository of a registry it was last pushed to:
// the next one is lent it from there. The zero value remembers nothing.
type Lenders struct {
	// Dir has a file for each blob and registry. A registry that has lost the blob since,
	// or does not lend it, is sent it.
	Dir string
}

func (l Lenders) file(registry name.Registry, digest v1.Hash) string {
	key := sha256.Sum256([]byte(registry.String() + " " + digest.String())) // ":" is in no file's name on Windows
	return filepath.Join(l.Dir, hex.EncodeToString(key[:]))
}

// of returns the repository that has a blob, as far as is known.
func (l Lenders) of(registry name.Registry, digest v1.Hash) (name.Repository, bool) {
	if l.Dir == "" {
		return name.Repository{}, false
	}
	file := l.file(registry, digest)
	data, err := os.ReadFile(file)
	if err != nil {
		return name.Repository{}, false
	}
	repo := registry.Repo(string(data))
	if _, err := name.NewRepository(repo.String()); err != nil {
		return name.Repository{}, false // a power cut may leave a part
	}
	checked.Touch(file)
	return repo, true
}

// add notes that a repository has a blob. That it cannot be noted costs a later push some
// time, and nothing else.
func (l Lenders) add(repo name.Repository, digest v1.Hash) {
	if l.Dir != "" && os.MkdirAll(l.Dir, 0o700) == nil {
		_ = os.WriteFile(l.file(repo.Registry, digest), []byte(repo.RepositoryStr()), 0o600)
	}
}
