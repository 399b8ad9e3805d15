package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/lucid-project/base-images/internal/atomicfile"
	"github.com/lucid-project/base-images/lucidbase/engine"
	"github.com/lucid-project/base-images/lucidbase/lock"
	"github.com/lucid-project/base-images/lucidbase/resolve"
)

// listError says what is wrong with a list, a line each.
type listError struct {
	error
	// suggested reports whether a corrected list was written, late whether the
	// explanation was ended by its limit.
	suggested, late bool
}

func (e listError) Unwrap() error { return e.error }

// resolveOwn resolves a list. When that cannot be, it says why for each line, and
// writes a corrected list beside it if asked to. A line that must not be asked
// for, such as a name of the standard library, is reported before anything is asked for.
func resolveOwn(ctx context.Context, s Streams, eng *engine.Engine, set *lock.Set, o ownFlags, r resolve.Request) (resolve.Locked, error) {
	var cause error
	if r.List.Err() == nil {
		now, err := resolve.Requirements(ctx, eng.Resolver(), set, r)
		if err == nil && !o.check {
			err = try(ctx, s, eng, set, now.Packages)
		}
		if !resolve.Explicable(err) {
			printLines(s.Err, "lucidbase: ", resolve.Notes(r.List, now))
			return now, err
		}
		if r.Base != "" && isAlone(ctx, eng, set, r, err) {
			return resolve.Locked{}, baseError{o.list, r, err}
		}
		cause = err
	}
	d, err := resolve.Explain(ctx, eng.Resolver(), set, r, resolve.Failure{Err: cause, Limit: o.limit})
	if err != nil {
		return resolve.Locked{}, err
	}
	errs := []error{}
	for _, f := range d.Findings {
		errs = append(errs, errors.New(f.String()))
	}
	if d.Unexplained != "" {
		errs = append(errs, fmt.Errorf("resolving %s: %s", o.list, d.Unexplained))
	}
	late := d.Unseen
	if late != "" {
		errs = append(errs, fmt.Errorf("%s: not looked at in time: %s", o.list, late))
	}
	if len(d.Findings) == 0 {
		if d.Unexplained == "" {
			errs = append(errs, cause)
		}
		return resolve.Locked{}, errors.Join(errs...)
	}
	if o.suggest {
		state := "does not resolve yet"
		switch {
		case d.Solved:
			state = "resolves"
		case late != "":
			state = "there was no time to resolve"
		}
		errs = append(errs, writeSuggested(s, d.Suggested, state))
	}
	return resolve.Locked{}, listError{errors.Join(errs...), o.suggest, late != ""}
}

// baseError says that a list cannot be had together with the packages of a base.
type baseError struct {
	list    string
	request resolve.Request
	cause   error
}

func (e baseError) Error() string {
	why := e.cause.Error()
	var no *resolve.NoSolutionError
	if errors.As(e.cause, &no) {
		why = e.request.List.Against(no)
	}
	return fmt.Sprintf("%s and the packages of %s cannot be had together: %s", e.list, e.request.BaseName, why)
}

func (e baseError) Unwrap() error { return e.cause }

// isAlone reports whether a list can be locked without a base, and what failed with the base
// is then not needed.
func isAlone(ctx context.Context, eng *engine.Engine, set *lock.Set, r resolve.Request, failed error) bool {
	r.Base = lock.Bare
	alone, err := resolve.Requirements(ctx, eng.Resolver(), set, r)
	var no *resolve.NoWheelError
	return err == nil && !(errors.As(failed, &no) && slices.ContainsFunc(alone.Requirements, func(r lock.Requirement) bool {
		return r.Name == no.Name && r.Version == no.Version
	}))
}

// trialTime is how long sources are compiled when they are locked: errors come
// early, and a large source takes many minutes.
const trialTime = 2 * time.Minute

var errTrialTime = fmt.Errorf("it takes longer than %s", trialTime)

// try compiles what can be compiled in trialTime. A lock does not fail because
// nothing was found out.
func try(ctx context.Context, s Streams, eng *engine.Engine, set *lock.Set, p lock.Packages) error {
	limited, cancel := context.WithTimeoutCause(ctx, trialTime, errTrialTime)
	defer cancel()
	err := resolve.Try(limited, eng.Resolver(), set, p)
	if err == nil || ctx.Err() != nil || resolve.Explicable(err) {
		return err
	}
	fmt.Fprintf(s.Err, "lucidbase: not every source was compiled for a trial: %s\n", strings.ReplaceAll(err.Error(), "\n", "; "))
	return nil
}

// writeSuggested writes corrected files beside the originals, never over them.
func writeSuggested(s Streams, texts map[string][]byte, state string) error {
	dirs := map[string]map[string][]byte{}
	for name, text := range texts {
		dir, base := filepath.Split(filepath.FromSlash(name))
		if dir = filepath.Clean(dir); dirs[dir] == nil {
			dirs[dir] = map[string][]byte{}
		}
		dirs[dir][base] = text
	}
	for _, dir := range slices.Sorted(maps.Keys(dirs)) {
		if err := atomicfile.Write(dir, dirs[dir]); err != nil {
			return err
		}
	}
	fmt.Fprintf(s.Err, "lucidbase: wrote %s, which %s\n", strings.Join(slices.Sorted(maps.Keys(texts)), " and "), state)
	return nil
}
