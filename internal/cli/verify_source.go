package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"

	"github.com/lucid-project/base-images/internal/keychain"
	"github.com/lucid-project/base-images/lucidbase/engine"
	"github.com/lucid-project/base-images/lucidbase/imagesource"
	"github.com/lucid-project/base-images/lucidbase/verify"
)

// subject is an image that is to be verified.
type subject struct {
	imagesource.Image
	// store keeps facts; nil where a layer's digest proves nothing.
	store verify.Store
}

// open finds out what an argument means: a path that exists is a layout or an
// archive, everything else a reference. release closes what was opened.
func (v *verifyFlags) open(ctx context.Context, arg string) (subjects []subject, release func() error, err error) {
	release = func() error { return nil }
	if _, err := os.Stat(arg); errors.Is(err, fs.ErrNotExist) && !looksLikePath(arg) {
		subjects, err = v.openRef(ctx, arg)
		return subjects, release, err
	}
	archive, err := imagesource.Open(ctx, arg)
	if err != nil {
		return nil, release, err
	}
	store := &verify.Memory{}
	for _, img := range archive.Images {
		s := subject{Image: img}
		if img.Hashed {
			s.store = store
		}
		subjects = append(subjects, s)
	}
	return subjects, archive.Close, nil
}

// looksLikePath reports whether an argument can be no reference: these start with a letter or a
// digit.
func looksLikePath(arg string) bool {
	return strings.HasPrefix(arg, ".") || filepath.IsAbs(arg) || strings.Contains(arg, `\`)
}

func (v *verifyFlags) openRef(ctx context.Context, arg string) ([]subject, error) {
	ref, err := name.ParseReference(arg)
	if err != nil {
		return nil, fmt.Errorf("there is no such file or directory, and it is no image reference: %s", strings.TrimPrefix(err.Error(), "could not parse reference: "))
	}
	transport, err := engine.RegistryTransport(append(v.registries.options(), engine.WithCABundle(v.caBundle), engine.WithProgress(v.notes))...)
	if err != nil {
		return nil, err
	}
	if _, err := authn.Resolve(ctx, keychain.Default, ref.Context()); errors.Is(err, exec.ErrNotFound) {
		fmt.Fprintf(v.notes, "lucidbase: warning: %v: going on without credentials\n", err)
	}
	img, err := imagesource.Fetch(ctx, ref, transport)
	if err != nil {
		return nil, fmt.Errorf("asking the registry, as there is no such file or directory: %w", err)
	}
	img.Name = arg
	return []subject{{img, v.store()}}, nil
}

// store keeps facts of remote layers where the engine keeps those of its own; in
// memory where nothing can be written: they only save time.
func (v *verifyFlags) store() verify.Store {
	dir := v.cacheDir
	if dir == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			return &verify.Memory{}
		}
		dir = filepath.Join(user, "lucidbase")
	}
	dir = filepath.Join(dir, "facts")
	if os.MkdirAll(dir, 0o755) != nil || checkWritable(dir) != nil {
		return &verify.Memory{}
	}
	return verify.Dir(dir)
}
