package resolve

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/lucid-project/base-images/internal/atomicfile"
	"github.com/lucid-project/base-images/internal/supply"
	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/lock"
	"github.com/lucid-project/base-images/lucidbase/rootfs/debian"
)

// Relock returns locks whose files are to be had: the library's own while theirs
// are, or else what its lists are resolved to today, which the cache keeps for the
// next time. platforms are those of the images that are to be built. notify is
// called with each line that a person should read.
func Relock(ctx context.Context, r Resolver, platforms []ocispecs.Platform, notify func(line string)) (*lock.Set, error) {
	own, err := lock.Default()
	if err != nil {
		return nil, err
	}
	gone := r.Prepare(ctx, inputs(own, r.Platform(), platforms))
	if !errors.Is(gone, debian.ErrGone) {
		return own, gone
	}
	notify(gone.Error())
	// Of these lists and no others: the digest changes with the library.
	dir := filepath.Join(r.Cache, strings.TrimPrefix(own.Digest(lock.Standard, lock.Packages{}), "sha256:"))
	set, err := r.fresh(ctx, dir, platforms, notify)
	if err != nil {
		return nil, err
	}
	for _, line := range Changes(own, set) {
		notify(line)
	}
	return set, nil
}

// fresh returns what an earlier call has resolved, while that is to be had, or
// else resolves the lists and keeps the result in dir.
func (r Resolver) fresh(ctx context.Context, dir string, platforms []ocispecs.Platform, notify func(line string)) (*lock.Set, error) {
	// When there is none, or half of it was pruned: resolve again.
	if set, err := lock.ReadSet(os.DirFS(dir)); err == nil {
		err := r.Prepare(ctx, inputs(set, r.Platform(), platforms))
		if err == nil {
			notify("building from what an earlier build resolved instead:")
		}
		if !errors.Is(err, debian.ErrGone) {
			return set, err
		}
	}
	notify("resolving the lists afresh and building from that instead:")
	lists, err := DefaultLists()
	if err != nil {
		return nil, err
	}
	set, err := Set(ctx, r, lists)
	if err != nil {
		return nil, err
	}
	own, err := lock.Default()
	if err != nil {
		return nil, err
	}
	set.Alpine = own.Alpine.Pin() // what is in it follows from the new lock
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("keeping the locks: %w", err)
	}
	return set, atomicfile.Write(dir, set.Files())
}

// inputs lists the layers that a build of the platforms may ask for.
func inputs(set *lock.Set, build ocispecs.Platform, targets []ocispecs.Platform) []lucidbase.Input {
	root, builder := supply.Debian(set.Debian, build)
	all := []lucidbase.Input{root, builder}
	for _, p := range targets {
		root, _ := supply.Debian(set.Debian, p)
		all = append(all, root)
	}
	return all
}
