package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/plugins/content/local"
	"github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/lucid-project/base-images/internal/atomicfile"
	"github.com/lucid-project/base-images/internal/checked"
	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/lock"
)

// store is the client's side of a build: a content store on disk that BuildKit
// reads its inputs from and exports its results to, so that what is on one side
// never moves to the other again. An input's layer is made when it is first
// asked for: what BuildKit has in its cache, nobody makes.
type store struct {
	content.Store
	dir  string
	make makeLayer

	mu     sync.Mutex
	layers map[digest.Digest]*layer
	cause  error // why the first layer that a build asked for could not be made
}

// makeLayer writes an input's layer.
type makeLayer func(ctx context.Context, in lucidbase.Input, w io.Writer) (lock.Layer, error)

type layer struct {
	input lucidbase.Input
	mu    sync.Mutex // held while the layer is made
	whole bool       // this process has made it, or compared it with its digest
}

func newStore(dir string, makeLayer makeLayer) (*store, error) {
	s, err := local.NewStore(dir)
	if err != nil {
		return nil, fmt.Errorf("opening the content store: %w", err)
	}
	return &store{Store: s, dir: dir, make: makeLayer, layers: map[digest.Digest]*layer{}}, nil
}

// add offers an input: its manifest and config are written, its layer is not.
func (s *store) add(ctx context.Context, in lucidbase.Input) error {
	config, manifest, _ := in.Image()
	for _, blob := range [][]byte{config, manifest} {
		if err := s.write(ctx, digest.FromBytes(blob), int64(len(blob)), func(f io.Writer) error {
			_, err := f.Write(blob)
			return err
		}); err != nil {
			return fmt.Errorf("writing the manifest of %s: %w", in, err)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cause = nil // of an earlier build
	d := digest.Digest(in.Layer.Digest)
	if s.layers[d] == nil {
		s.layers[d] = &layer{input: in}
	}
	return nil
}

// Info answers for layers that are not made yet as well.
func (s *store) Info(ctx context.Context, d digest.Digest) (content.Info, error) {
	info, err := s.Store.Info(ctx, d)
	if l := s.layer(d); err != nil && l != nil {
		return content.Info{Digest: d, Size: l.input.Layer.Size}, nil
	}
	return info, err
}

// ReaderAt makes the layer that is asked for, unless it is there.
func (s *store) ReaderAt(ctx context.Context, desc ocispecs.Descriptor) (content.ReaderAt, error) {
	if err := s.ensure(ctx, desc.Digest); err != nil {
		s.fail(ctx, err)
		// As text: containerd's gRPC server panics over an error in it that unwraps to
		// nil, such as a net.DNSError.
		return nil, errors.New(err.Error())
	}
	return s.Store.ReaderAt(ctx, desc)
}

// ensure makes an input's layer if the store lacks it.
func (s *store) ensure(ctx context.Context, d digest.Digest) error {
	l := s.layer(d)
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, err := os.Stat(s.path(d)); l.whole && err == nil {
		return nil
	}
	err := s.write(ctx, d, l.input.Layer.Size, func(f io.Writer) error {
		_, err := s.make(ctx, l.input, f)
		return err
	})
	l.whole = err == nil
	return err
}

// fail keeps the first error, which is the one that is reported: those after it may be
// its consequences.
func (s *store) fail(ctx context.Context, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cause == nil && ctx.Err() == nil {
		s.cause = err
	}
}

// failed says why a layer could not be made: BuildKit passes errors on as text.
func (s *store) failed() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cause
}

func (s *store) layer(d digest.Digest) *layer {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.layers[d]
}

// path is where the local store keeps a blob.
func (s *store) path(d digest.Digest) string {
	return filepath.Join(s.dir, "blobs", d.Algorithm().String(), d.Encoded())
}

// write puts a blob in place whole, unless it is there. Two processes may write
// the same blob at once: both rename the same bytes to the same name.
func (s *store) write(ctx context.Context, d digest.Digest, size int64, fill func(io.Writer) error) error {
	path := s.path(d)
	if checked.Use(ctx, path, d, size) == nil {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := atomicfile.Create(s.dir)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := fill(f); err != nil {
		return err
	}
	return f.Keep(path)
}
