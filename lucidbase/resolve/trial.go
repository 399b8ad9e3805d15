package resolve

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/lucid-project/base-images/internal/stage"
	"github.com/lucid-project/base-images/internal/supply"
	"github.com/lucid-project/base-images/lucidbase/lock"
)

// Try compiles the sources of a lock, so that one that cannot be compiled is known before an image
// is built: it is a *NoWheelError. Each is compiled for Debian on one CPU; what is for
// Alpine alone is not tried, as its interpreter would have to be fetched. What was
// compiled stays in the engine's cache. When ctx ends, the result is what was found
// by then, and the reason.
func Try(ctx context.Context, run Runner, set *lock.Set, p lock.Packages) error {
	version, err := supply.PythonVersion(set.Debian, run.Platform())
	if err != nil {
		return err
	}
	var errs []error
	for _, r := range p.Requirements {
		if r.Sdist == nil {
			continue
		}
		targets := r.Sdist.Targets
		i := slices.IndexFunc(targets, func(t string) bool { return strings.HasPrefix(t, "manylinux") })
		if i < 0 {
			continue
		}
		cause, err := compileCause(ctx, run, set, r, stage.DebianTarget(targets[i], version))
		if ctx.Err() != nil {
			return errors.Join(append(errs, context.Cause(ctx))...)
		}
		if err != nil {
			return err
		}
		if cause != "" {
			errs = append(errs, &NoWheelError{Name: r.Name, Version: r.Version, Targets: targets, Said: "its source cannot be compiled: " + cause, Tried: true})
		}
	}
	return errors.Join(errs...)
}

// compileCause returns why a source cannot be compiled for a target; empty means
// that it can.
func compileCause(ctx context.Context, run Runner, set *lock.Set, r lock.Requirement, t stage.Target) (string, error) {
	builder, inputs := stage.NewBuilder(set.Debian, run.Platform())
	made, more, err := stage.Compiler{Builder: builder, Locks: set}.Wheels(lock.Requirements{r}, t)
	if err != nil {
		return "", err
	}
	_, err = run.ReadFiles(ctx, made[0], append(inputs, more...), nil)
	if err == nil {
		return "", nil
	}
	if _, cause, ok := strings.Cut(err.Error(), fmt.Sprintf("error: %s for %s: ", r, t.Wheels())); ok {
		return cause, nil
	}
	return "", err
}
