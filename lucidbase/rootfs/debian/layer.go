package debian

import (
	"context"
	"fmt"
	"io"

	"github.com/lucid-project/base-images/internal/supply"
	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/lock"
	"github.com/lucid-project/base-images/lucidbase/rootfs/internal/deb"
	"github.com/lucid-project/base-images/lucidbase/rootfs/internal/tree"
)

// Layer makes an input's layer, writes it to w as an uncompressed tar, and returns it
// with its digest and size. A layer that comes out with another digest than the input
// has is an error; an input without digest is being locked. What was written to w
// counts only if there is no error.
func (a *Archives) Layer(ctx context.Context, in lucidbase.Input, w io.Writer) (lock.Layer, error) {
	out, err := a.layer(ctx, in, w)
	if err != nil {
		return lock.Layer{}, fmt.Errorf("making %s: %w", in, err)
	}
	if want := in.Layer; want.Digest != "" && (want.Digest != out.Digest || want.Size != out.Size) {
		return lock.Layer{}, fmt.Errorf("making %s: its packages make %s (%d bytes), the lock says %s (%d bytes)",
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
	t, err := a.tree(ctx, in, s)
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

// tree is of an input's packages.
func (a *Archives) tree(ctx context.Context, in lucidbase.Input, s *tree.Spool) (tree.Tree, error) {
	debs, err := a.unpack(ctx, in, s)
	if err != nil {
		return nil, err
	}
	t, _, err := assemble(in.Kind, debs, in.Layer.LeftOut)
	return t, err
}

// unpack unpacks an input's packages.
func (a *Archives) unpack(ctx context.Context, in lucidbase.Input, s *tree.Spool) ([]deb.File, error) {
	u := deb.Unpacker{
		Architecture: in.Platform.Architecture, Spool: s, DropSetID: in.Kind == supply.Peer,
		Get: func(ctx context.Context, p lock.Package) (string, error) { return a.File(ctx, p, in.Suites) },
	}
	return u.Unpack(ctx, in.Layer.Packages)
}
