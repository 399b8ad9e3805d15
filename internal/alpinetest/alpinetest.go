// Package alpinetest provides tests with an Alpine image that has a musl Python: stand-ins
// for the official one, from a directory, or else the official one itself.
package alpinetest

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/klauspost/compress/gzip"
	"github.com/stretchr/testify/require"
	"github.com/xi2/xz"

	"github.com/lucid-project/base-images/internal/testregistry"
	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/lock"
)

// fixtureEnv names the directory of the stand-ins. Without it they are looked for
// beside the repository.
const fixtureEnv = "LUCID_ALPINE_FIXTURE"

// Image returns an image to lock, and the mirrors to reach it by, as
// engine.WithImageMirrors takes them: the stand-ins in
// a registry of the test, or the official image by its default lock. Where neither
// is to be had the test is skipped, or fails where nothing may be skipped.
func Image(t testing.TB) (im lock.Upstream, mirrors []string) {
	t.Helper()
	if dir := fixtureDir(t); dir != "" {
		r := testregistry.New(t)
		return Push(t, r, dir), []string{"docker.io=" + r.Host + "/hub"}
	}
	set, err := lock.Default()
	require.NoError(t, err)
	if err := reach(set.Alpine); err != nil {
		reason := fmt.Sprintf("no Alpine image: $%s is not set, no directory shared/fixtures/alpine is beside the repository, and %v", fixtureEnv, err)
		if os.Getenv("CI") == "true" || os.Getenv("LUCID_REQUIRE_ENGINE") == "1" {
			require.FailNow(t, "required here", reason)
		}
		t.Skip(reason)
	}
	return set.Alpine, nil
}

func reach(im lock.Upstream) error {
	tag, err := name.NewTag(im.Reference)
	if err != nil {
		return err
	}
	_, err = remote.Head(tag.Context().Digest(im.Digest))
	return err
}

// fixtureDir returns the directory of the stand-ins, or nothing.
func fixtureDir(t testing.TB) string {
	if dir := os.Getenv(fixtureEnv); dir != "" {
		return dir
	}
	dir := filepath.Join(root(t), "..", "shared", "fixtures", "alpine")
	if _, err := os.Stat(dir); err != nil {
		return ""
	}
	return dir
}

// root is the directory of go.mod.
func root(t testing.TB) string {
	dir, err := os.Getwd()
	require.NoError(t, err)
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		require.NotEqual(t, filepath.Dir(dir), dir, "no go.mod above")
		dir = filepath.Dir(dir)
	}
}

// Push puts the stand-ins of a directory into a registry, as hub/library/python,
// and returns the lock of their index.
func Push(t testing.TB, r *testregistry.Registry, dir string) lock.Upstream {
	t.Helper()
	index, err := read(dir)
	require.NoError(t, err)
	tag, err := name.NewTag(r.Ref("hub/library/python:3.11-alpine3.23"))
	require.NoError(t, err)
	require.NoError(t, remote.WriteIndex(tag, index, remote.WithTransport(http.DefaultTransport)))
	digest, err := index.Digest()
	require.NoError(t, err)
	return lock.Upstream{Reference: "docker.io/library/python:3.11-alpine3.23", Digest: digest.String()}
}

var (
	readOnce sync.Once
	readDone v1.ImageIndex
	errRead  error
)

// read makes an index of the stand-ins, once a process.
func read(dir string) (v1.ImageIndex, error) {
	readOnce.Do(func() { readDone, errRead = index(dir) })
	return readDone, errRead
}

func index(dir string) (v1.ImageIndex, error) {
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	var errs []error
	for _, p := range lucidbase.AllPlatforms() {
		img, err := image(filepath.Join(dir, "rootfs-python3.11-alpine-"+p.Architecture+".tar.xz"), p.Architecture)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add:        img,
			Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: p.OS, Architecture: p.Architecture}},
		})
	}
	return index, errors.Join(errs...)
}

// image makes an image as the official one is: one gzip layer here, the same
// environment and command.
func image(file, arch string) (v1.Image, error) {
	plain, err := decompress(file)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", file, err)
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(plain)), nil },
		tarball.WithMediaType(types.OCILayer), tarball.WithCompressionLevel(gzip.BestSpeed), tarball.WithCompressedCaching)
	if err != nil {
		return nil, err
	}
	img, err := mutate.AppendLayers(mutate.MediaType(empty.Image, types.OCIManifestSchema1), layer)
	if err != nil {
		return nil, err
	}
	config, err := img.ConfigFile()
	if err != nil {
		return nil, err
	}
	config = config.DeepCopy()
	config.OS, config.Architecture = "linux", arch
	config.Config.Env = []string{"PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", "PYTHON_VERSION=3.11.2"}
	config.Config.Cmd = []string{"python3"}
	return mutate.ConfigFile(img, config)
}

func decompress(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r, err := xz.NewReader(bufio.NewReader(f), 0)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}
