package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/lucid-project/base-images/lucidbase/engine"
	"github.com/lucid-project/base-images/lucidbase/lock"
	"github.com/lucid-project/base-images/lucidbase/resolve"
	"github.com/lucid-project/base-images/lucidbase/rootfs/alpine"
)

// lockImage resolves the image of the Alpine base. One that cannot be reached stays
// as it was locked, with a warning: the other locks do not wait for it.
func lockImage(ctx context.Context, s Streams, eng *engine.Engine, old *lock.Set, d lock.Debian) (lock.Upstream, error) {
	if old == nil || old.Alpine.Digest == "" {
		own, err := lock.Default()
		if err != nil {
			return lock.Upstream{}, err
		}
		old = own
	}
	im, err := resolve.Upstream(ctx, eng.Resolver(), old.Alpine, d)
	if errors.Is(err, alpine.ErrNoImage) {
		why := strings.ReplaceAll(err.Error(), "\n", "; ")
		fmt.Fprintf(s.Err, "lucidbase: keeping %s as it was locked: %s (%s)\n", lock.AlpineFile, why, imageHint(err))
		return old.Alpine, nil
	}
	return im, err
}
