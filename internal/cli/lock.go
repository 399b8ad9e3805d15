package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lucid-project/base-images/internal/atomicfile"
	"github.com/lucid-project/base-images/lucidbase/engine"
	"github.com/lucid-project/base-images/lucidbase/lock"
	"github.com/lucid-project/base-images/lucidbase/resolve"
)

// errStale is what "lock --check" ends with when a lock would change.
var errStale = errors.New("the locks are not up to date")

func newLock(s Streams) *cobra.Command {
	var e engineFlags
	var dir string
	var own ownFlags
	var file fileFlag
	cmd := &cobra.Command{
		Use:   "lock",
		Short: "Resolve every lock from the network, or with -r one list of requirements, with -f a file's, and print what changed",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			if file.path != "" && (own.list != "" || cmd.Flags().Changed("dir")) {
				return usagef("-f is for the lists of a file's services, -r for one list, --dir for the library's own: choose one")
			}
			if cmd.Flags().Changed("system") {
				return own.lockSystem(ctx, s, &e, cmd.Flags())
			}
			if own.list == "" && (own.out != "" || own.suggest && file.path == "" || own.base != "" || len(own.targets) > 0) {
				return usagef("--output, --base, --target and --suggest are for a list of one's own: name it with -r")
			}
			if own.list != "" && cmd.Flags().Changed("dir") {
				return usagef("--dir is for the library's own lists, -r for one of one's own")
			}
			if err := cmp.Or(own.validate(), e.validate()); err != nil {
				return err
			}
			if file.path != "" {
				lists, err := own.of(&file)
				if err != nil {
					return err
				}
				return e.with(ctx, s, func(eng *engine.Engine) error { return lockLists(ctx, s, eng, lists) })
			}
			if own.list != "" {
				list, err := own.read(ctx, s)
				if err != nil {
					return err
				}
				return e.with(ctx, s, func(eng *engine.Engine) error { return lockOwn(ctx, s, eng, own, list) })
			}
			in, err := resolve.ReadLists(os.DirFS(dir))
			if err != nil {
				return fmt.Errorf("reading the package lists in %s: %w", dir, err)
			}
			return e.with(ctx, s, func(eng *engine.Engine) error { return lockAll(ctx, s, eng, dir, in, own.check) })
		},
	}
	f := cmd.Flags()
	f.StringVar(&dir, "dir", "lucidbase/lock", "directory of the package lists and of the locks")
	f.BoolVar(&own.check, "check", false, "write nothing; exit 1 when something would change")
	f.StringVarP(&own.list, "requirements", "r", "", "lock this `file` of requirements instead")
	f.StringVarP(&own.out, "output", "o", "", "`file` to write the lock of -r to, with NAME.lock.toml beside it (default LIST.lock.txt)")
	f.StringSliceVar(&own.targets, "target", nil, "wheel platforms that -r is for (default all): "+strings.Join(lock.WheelTargets(), ", "))
	f.StringVar(&own.base, "base", "", "`image` that -r is for: its packages are locked too, in its versions where the list allows them")
	f.BoolVar(&own.suggest, "suggest", false, "when -r cannot be locked, write a corrected list beside it as NAME.suggested.txt")
	f.DurationVar(&own.limit, "explain-timeout", resolve.ExplainLimit, "end the explanation of a list that cannot be locked with what is known by then")
	f.StringSliceVar(&own.system, "system", nil, "lock these Debian `packages`, for a service's System, into --output (default "+systemOut+")")
	e.add(f)
	file.add(f)
	return cmd
}

// lockAll resolves the library's own lists.
func lockAll(ctx context.Context, s Streams, eng *engine.Engine, dir string, in resolve.Lists, check bool) error {
	old := readLocks(s, dir)
	set, err := resolve.Set(ctx, eng.Resolver(), in)
	if err != nil {
		return err
	}
	if set.Alpine, err = lockImage(ctx, s, eng, old, set.Debian); err != nil {
		return err
	}
	keepDates(old, set)
	changes := resolve.Changes(old, set)
	printLines(s.Out, "", changes)
	for _, t := range lock.Tiers() {
		printLines(s.Err, "lucidbase: "+string(t)+": ", resolve.Compiled(set.Python[t]))
	}
	switch {
	case len(changes) == 0:
		fmt.Fprintln(s.Err, "lucidbase: the locks are up to date")
	case check:
		return errStale
	default:
		return atomicfile.Write(dir, set.Files())
	}
	return nil
}

func printLines(w io.Writer, prefix string, lines []string) {
	for _, line := range lines {
		fmt.Fprintln(w, prefix+line)
	}
}

// keepDates keeps the dates of the old lock's indexes where nothing else changed:
// Debian signs its indexes again every week, and the old ones still say when the
// files were there.
func keepDates(old, set *lock.Set) {
	if old == nil {
		return
	}
	same := *set
	same.Debian.Suites, same.Dev.Suites = old.Debian.Suites, old.Dev.Suites
	if len(resolve.Changes(old, &same)) == 0 {
		*set = same
	}
}

// readLocks reads the locks that are there; none, or broken ones, are reported and
// resolved from nothing.
func readLocks(s Streams, dir string) *lock.Set {
	old, err := lock.ReadSet(os.DirFS(dir))
	if err != nil {
		fmt.Fprintf(s.Err, "lucidbase: resolving from nothing: %s\n", strings.ReplaceAll(err.Error(), "\n", "; "))
		return nil
	}
	return old
}
