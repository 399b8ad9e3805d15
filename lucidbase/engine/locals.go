package engine

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
	"github.com/tonistiigi/fsutil"

	"github.com/lucid-project/base-images/internal/localdir"
	"github.com/lucid-project/base-images/lucidbase"
)

// locals are the directories that a job's graphs name. Each is read once, so that all
// platforms get the same.
type locals map[string]*localdir.Tree

// read reads those of a graph that were not read for another platform.
func (l locals) read(ctx context.Context, g lucidbase.Graph) error {
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(g.Locals)) {
		if l[name] != nil {
			continue
		}
		tree, err := localdir.Read(ctx, g.Locals[name])
		if err != nil {
			errs = append(errs, fmt.Errorf("reading %s: %w", name, err))
			continue
		}
		l[name] = tree
	}
	return errors.Join(errs...)
}

// digest identifies what is sent. A graph is marshalled with it as the identity of its
// local directories: BuildKit takes equal vertices of builds that run at once for one.
func (l locals) digest() string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(l)) {
		all = append(all, name+" "+l[name].Digest().String())
	}
	return digest.FromString(strings.Join(all, "\n")).String()
}

// mounts is how BuildKit's client takes them.
func (l locals) mounts() map[string]fsutil.FS {
	mounts := map[string]fsutil.FS{}
	for name, tree := range l {
		mounts[name] = tree
	}
	return mounts
}
