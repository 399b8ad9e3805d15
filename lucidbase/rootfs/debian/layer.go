package debian

import (
	"context"
	"fmt"
	"io"

	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/lock"
	"github.com/lucid-project/base-images/lucidbase/rootfs/internal/deb"
	"github.com/lucid-project/base-images/lucidbase/rootfs/internal/tree"
)

// Layer makes an input's layer, writes it to w as an uncompressed tar, and returns
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
	s, err := tree.NewSpool(ctx, a.Cache)
	if err != nil {
		return lock.Layer{}, err
	}
	defer s.Close()
	debs, err := deb.Unpack(ctx, in.Layer.Packages, in.Platform.Architecture, s, func(ctx context.Context, p lock.Package) (string, error) {
		return a.File(ctx, p, in.Suites)
	})
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
	out.Digest, out.Size, err = t.Write(w)
	return out, err
}
