package deb

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/lucid-project/base-images/lucidbase/lock"
	"github.com/lucid-project/base-images/lucidbase/rootfs/internal/tree"
)

// Parallel is how many files are downloaded at once.
const Parallel = 8

// Unpacker unpacks packages.
type Unpacker struct {
	Architecture string
	// Spool takes the files' content.
	Spool *tree.Spool
	// Get returns the path of a package's file.
	Get func(context.Context, lock.Package) (string, error)
	// DropSetID takes set-id bits from files that have them, which else are errors.
	DropSetID bool
}

// Unpack downloads and unpacks all packages at once, the largest first: the
// layer is as late as the last of them.
func (u Unpacker) Unpack(ctx context.Context, packages []lock.Package) ([]File, error) {
	packages = slices.SortedFunc(slices.Values(packages), func(x, y lock.Package) int {
		return cmp.Compare(y.Size, x.Size)
	})
	debs := make([]File, len(packages))
	cpus := make(chan struct{}, runtime.GOMAXPROCS(0))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(Parallel)
	for i, p := range packages {
		group.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			path, err := u.Get(ctx, p)
			if err != nil {
				return err
			}
			cpus <- struct{}{}
			defer func() { <-cpus }()
			debs[i], err = u.open(ctx, path, p)
			return err
		})
	}
	return debs, group.Wait()
}

// open reads a package file of the cache. Debian's names of the architectures
// that there are images for are OCI's.
func (u Unpacker) open(ctx context.Context, path string, p lock.Package) (File, error) {
	if err := ctx.Err(); err != nil {
		return File{}, err
	}
	f, err := os.Open(path)
	if err != nil {
		return File{}, fmt.Errorf("unpacking %s: %w", p.Name, err)
	}
	defer f.Close()
	return u.Read(f, p)
}
