package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/lucid-project/base-images/internal/atomicfile"
	"github.com/lucid-project/base-images/lucidbase/engine"
	"github.com/lucid-project/base-images/lucidbase/lock"
	"github.com/lucid-project/base-images/lucidbase/resolve"
)

// ownFlags are the flags of a lock of one's own requirements.
type ownFlags struct {
	list string
	// system are Debian packages in the list's place.
	system  []string
	out     string
	targets []string
	// base names the image that the list is for.
	base  string
	check bool
	// suggest writes a corrected list beside one that cannot be locked.
	suggest bool
	// limit ends the explanation of such a list.
	limit time.Duration
}

// outFile is where the lock goes: beside the list by default.
func (o ownFlags) outFile() string {
	if o.out != "" {
		return o.out
	}
	return strings.TrimSuffix(o.list, filepath.Ext(o.list)) + ".lock.txt"
}

func (o ownFlags) validate() error {
	for _, t := range o.targets {
		if !slices.Contains(lock.WheelTargets(), t) {
			return usagef("--target %q: not one of %s", t, strings.Join(lock.WheelTargets(), ", "))
		}
	}
	if o.base != "" {
		if len(o.targets) > 0 {
			return usagef("--base says for which platforms a list is locked: leave out --target")
		}
		found, err := findImages([]string{o.base})
		if err != nil {
			return usagef("--base: %w", err)
		}
		if found[0].dev {
			return usagef("--base %s: it is for build stages and debugging; no service stands on it", o.base)
		}
	}
	if filepath.Clean(o.outFile()) == filepath.Clean(o.list) {
		return usagef("--output %s: that is the list itself", o.out)
	}
	return nil
}

// read reads the list and what it includes, and prints what of it is of no effect.
// A list of which files are missing is refused before an engine is
// opened: what it asks for is not known.
func (o ownFlags) read(ctx context.Context, s Streams) (resolve.List, error) {
	list, err := resolve.ReadList(ctx, o.list, s.Getenv)
	if err != nil {
		return list, err
	}
	for _, w := range list.Warnings() {
		fmt.Fprintln(s.Err, "lucidbase: warning: "+w.String())
	}
	if list.Incomplete() {
		return list, list.Err()
	}
	return list, nil
}

// lockOwn resolves a list and writes its lock.
func lockOwn(ctx context.Context, s Streams, eng *engine.Engine, o ownFlags, list resolve.List) error {
	set, err := lock.Default()
	if err != nil {
		return err
	}
	r := resolve.Request{List: list, Targets: o.targets}
	if o.base != "" {
		found, err := findImages([]string{o.base})
		if err != nil {
			return err
		}
		r.Base, r.BaseName, r.Targets = found[0].tier, found[0].name, found[0].targets()
	}
	locked, err := resolveOwn(ctx, s, eng, set, o, r)
	if err != nil {
		return err
	}
	now := locked.Packages
	dir, base := filepath.Split(o.outFile())
	if dir == "" {
		dir = "."
	}
	old := readOwn(s, dir, base)
	changes := resolve.OwnChanges(old, now)
	printLines(s.Out, "", changes)
	printLines(s.Err, "lucidbase: ", resolve.Compiled(now))
	switch {
	case o.check && len(changes) > 0:
		return errStale
	case len(changes) == 0:
		fmt.Fprintln(s.Err, "lucidbase: the lock is up to date")
	}
	if o.check {
		return nil
	}
	return writeOwn(dir, base, filepath.Base(o.list), now)
}

// readOwn reads an earlier lock; none, or a broken one, is an empty one.
func readOwn(s Streams, dir, base string) lock.Packages {
	p, err := lock.Read(os.DirFS(dir), base)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		fmt.Fprintf(s.Err, "lucidbase: resolving from nothing: %s\n", strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	return p
}

func writeOwn(dir, base, list string, p lock.Packages) error {
	return atomicfile.Write(dir, p.Files(base, fmt.Sprintf("# Written by \"lucidbase lock -r %s\"; edit that file instead.\n", list)))
}
