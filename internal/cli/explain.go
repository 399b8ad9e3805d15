package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/lucid-project/base-images/lucidbase/engine"
	"github.com/lucid-project/base-images/lucidbase/lock"
	"github.com/lucid-project/base-images/lucidbase/lock/explain"
	"github.com/lucid-project/base-images/lucidbase/lock/resolve"
)

// listError says what is wrong with a list, a line each.
type listError struct {
	error
	// suggested is whether a corrected list was written.
	suggested bool
}

func (e listError) Unwrap() error { return e.error }

// resolveOwn resolves a list. When that cannot be, it says why for each line, and
// writes a corrected list beside it if asked to. A line that must not be asked
// for, such as a name of the standard library, is told before anything is.
func resolveOwn(ctx context.Context, s Streams, eng *engine.Engine, set *lock.Set, o ownFlags, project *explain.Project, r resolve.Request) (resolve.Locked, error) {
	var cause error
	r.Leftovers, r.Written = project.Leftovers(), project.Written()
	if len(project.Findings()) == 0 {
		now, err := resolve.Requirements(ctx, eng, set, r)
		if !resolve.Explicable(err) {
			printLines(s.Err, "lucidbase: ", resolve.Notes(project, now))
			return now, err
		}
		cause = err
	}
	d, solved, err := resolve.Explain(ctx, eng, set, resolve.Failure{Project: project, Err: cause}, r)
	if err != nil {
		return resolve.Locked{}, err
	}
	errs := []error{}
	for _, f := range d.Findings() {
		errs = append(errs, errors.New(f.String()))
	}
	if d.Unexplained() != "" {
		errs = append(errs, fmt.Errorf("resolving %s: %s", o.list, d.Unexplained()))
	}
	if len(d.Findings()) == 0 {
		return resolve.Locked{}, cmp.Or(errors.Join(errs...), cause)
	}
	if o.suggest {
		errs = append(errs, writeSuggested(s, d.Suggested(), solved))
	}
	return resolve.Locked{}, listError{errors.Join(errs...), o.suggest}
}

// writeSuggested writes corrected files beside the originals, never over them.
func writeSuggested(s Streams, texts map[string][]byte, solved bool) error {
	dirs := map[string]map[string][]byte{}
	for name, text := range texts {
		dir, base := filepath.Split(filepath.FromSlash(name))
		if dir = filepath.Clean(dir); dirs[dir] == nil {
			dirs[dir] = map[string][]byte{}
		}
		dirs[dir][base] = text
	}
	for _, dir := range slices.Sorted(maps.Keys(dirs)) {
		if err := writeFiles(dir, dirs[dir]); err != nil {
			return err
		}
	}
	state := "resolves"
	if !solved {
		state = "does not resolve yet"
	}
	fmt.Fprintf(s.Err, "lucidbase: wrote %s, which %s\n", strings.Join(slices.Sorted(maps.Keys(texts)), " and "), state)
	return nil
}
