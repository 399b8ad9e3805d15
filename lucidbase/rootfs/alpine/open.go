package alpine

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	ociblob "github.com/google/go-containerregistry/pkg/v1/tarball"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/lock"
	"github.com/lucid-project/base-images/lucidbase/rootfs/internal/tree"
)

// upstream is one platform's image, unpacked.
type upstream struct {
	platform ocispecs.Platform
	manifest string
	python   string
	files    *flat
}

// Bounds on what is fetched of an image, compressed. The official images have
// tenths of both.
const (
	maxManifest = 4 << 20
	maxLayers   = 512 << 20
)

// open fetches an image and unpacks its layers, whose files' content goes to s.
func (m *Registries) open(ctx context.Context, im lock.Upstream, p ocispecs.Platform, s *tree.Spool) (*upstream, error) {
	r, err := m.repository(im)
	if err != nil {
		return nil, err
	}
	up := &upstream{platform: p, files: &flat{Tree: tree.Tree{}, from: im.Reference, spool: s}}
	manifest, err := r.manifest(ctx, im.Digest, p)
	if err != nil {
		return nil, err
	}
	up.manifest = manifest.digest
	data, err := r.read(ctx, blob{digest: manifest.Config.Digest.String(), size: manifest.Config.Size}, maxManifest)
	if err != nil {
		return nil, fmt.Errorf("config: %w", err)
	}
	config, err := v1.ParseConfigFile(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("config: %w", err)
	}
	if up.python, err = pythonOf(config, p); err != nil {
		return nil, fmt.Errorf("config: %w", err)
	}
	paths, err := r.layers(ctx, manifest.Layers)
	if err != nil {
		return nil, err
	}
	for i, path := range paths {
		if err := up.files.applyFile(ctx, path); err != nil {
			return nil, fmt.Errorf("layer %s: %w", manifest.Layers[i].Digest, err)
		}
	}
	return up, nil
}

// applyFile adds a layer of the cache, whatever its compression.
func (f *flat) applyFile(ctx context.Context, path string) error {
	layer, err := ociblob.LayerFromOpener(func() (io.ReadCloser, error) { return os.Open(path) })
	if err != nil {
		return err
	}
	plain, err := layer.Uncompressed()
	if err != nil {
		return err
	}
	defer plain.Close()
	// Room for headers and padding besides the files.
	limited := &io.LimitedReader{R: plain, N: 2 * maxImageBytes}
	if err := f.apply(tar.NewReader(&stopReader{ctx, limited})); err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, limited); err != nil { // to its end, so that damage is noticed
		return err
	}
	if limited.N <= 0 {
		return fmt.Errorf("unpacks to more than %d bytes", 2*maxImageBytes)
	}
	return nil
}

// stopReader ends when its context does.
type stopReader struct {
	ctx context.Context
	r   io.Reader
}

// Read implements io.Reader.
func (s *stopReader) Read(b []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	return s.r.Read(b)
}

// pythonOf returns the interpreter's version, which official images have in their
// environment, and checks whom the image is for.
func pythonOf(config *v1.ConfigFile, p ocispecs.Platform) (string, error) {
	if config.OS != p.OS || config.Architecture != p.Architecture {
		return "", fmt.Errorf("is for %s/%s, not %s", config.OS, config.Architecture, lucidbase.FormatPlatform(p))
	}
	for _, env := range config.Config.Env {
		if version, ok := strings.CutPrefix(env, "PYTHON_VERSION="); ok {
			if !lock.IsPython(version) {
				return "", fmt.Errorf("PYTHON_VERSION=%s is not Python %s", version, lock.PythonMinor)
			}
			return version, nil
		}
	}
	return "", errors.New("has no PYTHON_VERSION: it is no official Python image")
}
