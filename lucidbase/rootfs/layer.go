package rootfs

import (
	"archive/tar"
	"bufio"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/lock"
)

// Layer makes an input's layer, writes it to w as an uncompressed tar, and gives
// it back with its digest and size. A layer that comes out with another digest
// than the input has is an error; an input without digest is being locked.
// What was written to w counts only if there is no error.
func (a *Archives) Layer(ctx context.Context, in lucidbase.Input, w io.Writer) (lock.Layer, error) {
	out, err := a.layer(ctx, in, w)
	if err != nil {
		return lock.Layer{}, fmt.Errorf("making %s: %w", in, err)
	}
	if want := in.Layer; want.Digest != "" && (want.Digest != out.Digest || want.Size != out.Size) {
		return lock.Layer{}, fmt.Errorf("making %s: its packages give %s (%d bytes), the lock says %s (%d bytes)",
			in, out.Digest, out.Size, want.Digest, want.Size)
	}
	return out, nil
}

func (a *Archives) layer(ctx context.Context, in lucidbase.Input, w io.Writer) (lock.Layer, error) {
	s, err := newSpool(ctx, a.Cache)
	if err != nil {
		return lock.Layer{}, err
	}
	defer s.Close()
	debs, err := a.unpack(ctx, in, s)
	if err != nil {
		return lock.Layer{}, err
	}
	t, err := assemble(in.Kind, debs)
	if err != nil {
		return lock.Layer{}, err
	}
	if err := ctx.Err(); err != nil {
		return lock.Layer{}, err
	}
	out := in.Layer
	out.Digest, out.Size, err = t.write(w)
	return out, err
}

// unpack downloads and unpacks all packages at once, the largest first: the
// layer is as late as the last of them.
func (a *Archives) unpack(ctx context.Context, in lucidbase.Input, s *spool) ([]debFile, error) {
	packages := slices.SortedFunc(slices.Values(in.Layer.Packages), func(x, y lock.Package) int {
		return cmp.Compare(y.Size, x.Size)
	})
	debs := make([]debFile, len(packages))
	cpus := make(chan struct{}, runtime.GOMAXPROCS(0))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallel)
	for i, p := range packages {
		group.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			path, err := a.File(ctx, p, in.Suites)
			if err != nil {
				return err
			}
			cpus <- struct{}{}
			defer func() { <-cpus }()
			debs[i], err = openDeb(ctx, path, p, in.Platform.Architecture, s)
			return err
		})
	}
	return debs, group.Wait()
}

// openDeb reads a package file of the cache. Debian's names of the architectures
// that there are images for are OCI's.
func openDeb(ctx context.Context, path string, p lock.Package, architecture string, s *spool) (debFile, error) {
	if err := ctx.Err(); err != nil {
		return debFile{}, err
	}
	f, err := os.Open(path)
	if err != nil {
		return debFile{}, fmt.Errorf("unpacking %s: %w", p.Name, err)
	}
	defer f.Close()
	return readDeb(f, p, architecture, s)
}

// write gives the tree as a tar in which nothing depends on who makes it or
// when, and the tar's digest and size.
func (t tree) write(w io.Writer) (digest string, size int64, err error) {
	h := sha256.New()
	count := &counter{}
	buffer := bufio.NewWriterSize(io.MultiWriter(w, h, count), 1<<20)
	out := tar.NewWriter(buffer)
	names := map[*content]string{} // the first name of each file; others are hard links to it
	for _, name := range t.names() {
		if err := writeEntry(out, t[name], names); err != nil {
			return "", 0, fmt.Errorf("writing %s of package %s: %w", name, t[name].from, err)
		}
	}
	if err := out.Close(); err != nil {
		return "", 0, fmt.Errorf("writing the layer: %w", err)
	}
	if err := buffer.Flush(); err != nil {
		return "", 0, fmt.Errorf("writing the layer: %w", err)
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil)), count.n, nil
}

func writeEntry(out *tar.Writer, e *entry, names map[*content]string) error {
	h := &tar.Header{
		Name:     e.name,
		Typeflag: e.kind,
		Mode:     e.mode,
		Uid:      e.uid,
		Gid:      e.gid,
		Linkname: e.target,
		ModTime:  time.Unix(lucidbase.EpochSeconds, 0),
	}
	switch e.kind {
	case tar.TypeDir:
		h.Name += "/"
	case tar.TypeReg:
		if first, ok := names[e.content]; ok {
			h.Typeflag, h.Linkname = tar.TypeLink, first
			return out.WriteHeader(h)
		}
		names[e.content] = e.name
		h.Size = e.content.size
	}
	if err := out.WriteHeader(h); err != nil || e.kind != tar.TypeReg {
		return err
	}
	_, err := io.Copy(out, e.content.reader())
	return err
}

type counter struct{ n int64 }

func (c *counter) Write(b []byte) (int, error) {
	c.n += int64(len(b))
	return len(b), nil
}
