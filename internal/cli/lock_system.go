package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"

	"github.com/lucid-project/base-images/internal/atomicfile"
	"github.com/lucid-project/base-images/lucidbase/engine"
	"github.com/lucid-project/base-images/lucidbase/lock"
	"github.com/lucid-project/base-images/lucidbase/resolve"
)

// systemOut is where the lock goes unless somebody says otherwise.
const systemOut = "system.lock.json"

// lock locks what --system names.
func (o ownFlags) lockSystem(ctx context.Context, s Streams, e *engineFlags, flags *pflag.FlagSet) error {
	for _, name := range []string{"requirements", "file", "dir", "base", "target", "suggest"} {
		if flags.Changed(name) {
			return usagef("--system is for Debian packages alone: leave out --%s", name)
		}
	}
	if len(o.system) == 0 {
		return usagef("--system: no packages")
	}
	o.out = cmp.Or(o.out, systemOut)
	if err := e.validate(); err != nil {
		return err
	}
	return e.with(ctx, s, func(eng *engine.Engine) error { return lockSystem(ctx, s, eng, o) })
}

// lockSystem resolves Debian packages and writes their lock.
func lockSystem(ctx context.Context, s Streams, eng *engine.Engine, o ownFlags) error {
	set, err := lock.Default()
	if err != nil {
		return err
	}
	now, lines, err := resolve.System(ctx, eng.Resolver().Archives, set.Debian, o.system)
	if err != nil {
		return err
	}
	dir, name := filepath.Split(o.out)
	if dir == "" {
		dir = "."
	}
	old := readSystem(s, dir, name)
	keepSystemDates(old, &now)
	changes := resolve.SystemChanges(old, now)
	printLines(s.Out, "", changes)
	printLines(s.Err, "lucidbase: ", lines)
	switch {
	case len(changes) == 0:
		fmt.Fprintln(s.Err, "lucidbase: the lock is up to date")
		return nil
	case o.check:
		return errStale
	}
	return atomicfile.Write(dir, map[string][]byte{name: now.Format()})
}

// readSystem reads an earlier lock; none, or a broken one, is an empty one.
func readSystem(s Streams, dir, name string) lock.System {
	old, err := lock.ReadSystem(os.DirFS(dir), name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		fmt.Fprintf(s.Err, "lucidbase: resolving from nothing: %s\n", strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	return old
}

// keepSystemDates keeps the dates of the old lock's indexes where nothing else changed.
func keepSystemDates(old lock.System, now *lock.System) {
	same := *now
	same.Suites = old.Suites
	if len(old.Suites) > 0 && len(resolve.SystemChanges(old, same)) == 0 {
		*now = same
	}
}
