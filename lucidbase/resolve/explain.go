package resolve

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/lucid-project/base-images/internal/explain"
	"github.com/lucid-project/base-images/internal/stage"
	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/lock"
)

// maxRounds is how often a suggestion is tried and mended: each round resolves the
// list, sources and all, and what is found after so many is not worth the wait.
const maxRounds = 3

// ExplainLimit is how long an explanation takes at most by default:
// whoever waits longer for a typing error looks for it in the list instead.
const ExplainLimit = 30 * time.Second

// trialShare is the part of an explanation's time that a trial of the corrected list
// may take. What it finds out besides is worth no more: it may look at large sources.
const trialShare = 3

// Failure is what is known of a list that cannot be locked.
type Failure struct {
	// Err is what Requirements returned; nil when it was not called.
	Err error
	// Limit ends the explanation with what is known by then; zero is ExplainLimit.
	Limit time.Duration
}

// Explanation is why a list cannot be locked, and what would do instead.
type Explanation struct {
	// Findings are the lines that keep the list from being locked, in the order of the
	// files.
	Findings []Finding
	// Unexplained is what uv said, in one line, when nothing could be made of it.
	Unexplained string
	// Unseen says in a few words what there was no time to look at; empty if that is
	// nothing.
	Unseen string
	// Suggested maps the name of a file beside the list, and beside each included one that
	// changes, to its corrected text: each change has a comment above it.
	Suggested map[string][]byte
	// Solved reports whether what is suggested was resolved in full, for the request's
	// targets.
	Solved bool
}

// Explain finds out why a list cannot be locked, with the set's uv and pip in a stage, and
// what would do instead. The error is for when nothing could be asked.
func Explain(ctx context.Context, run Runner, set *lock.Set, r Request, f Failure) (Explanation, error) {
	uv, err := set.Tools.Requirements(lucidbase.FormatPlatform(run.Platform()))
	if err != nil {
		return Explanation{}, err
	}
	if len(r.Targets) == 0 {
		r.Targets = lock.WheelTargets()
	}
	if f.Limit == 0 {
		f.Limit = ExplainLimit
	}
	// To fetch uv is no part of the explanation, and nearly always done.
	builder, layers := stage.NewBuilder(set.Debian, run.Platform())
	if _, err := run.ReadFiles(ctx, builder.UV(uv), layers, nil); err != nil {
		return Explanation{}, fmt.Errorf("explaining %s: %w", r.List.name, err)
	}
	d := explain.Diagnose(r.List.project, r.Targets)
	x := explainer{run: run, set: set, uv: uv, request: r, until: time.Now().Add(f.Limit), trial: f.Limit / trialShare, d: d}
	solved, err := x.explain(ctx, f.Err)
	if err != nil {
		return Explanation{}, err
	}
	return Explanation{findings(d.Findings()), d.Unexplained(), d.Unseen(), d.Suggested(), solved}, nil
}

// explainer asks for one diagnosis until its time is over.
type explainer struct {
	run     Runner
	set     *lock.Set
	uv      lock.Requirements
	request Request
	until   time.Time
	// trial is how long one resolution of the corrected list may take.
	trial time.Duration
	d     *explain.Diagnosis
}

func (x *explainer) explain(ctx context.Context, failed error) (solved bool, err error) {
	for round := 0; ; round++ {
		if err := x.answer(ctx, failed); err != nil {
			return false, fmt.Errorf("explaining %s: %w", x.request.List.name, err)
		}
		if x.d.Unexplained() != "" || x.d.Unseen() != "" || round == maxRounds {
			return false, nil
		}
		// A list without findings was tried before.
		if failed == nil || len(x.d.Findings()) > 0 {
			limited, cancel := context.WithTimeout(ctx, min(time.Until(x.until), x.trial))
			_, failed = x.request.lock(limited, x.run, x.set, x.d.Query()) // as the user's own list would be
			late := limited.Err() != nil && ctx.Err() == nil
			cancel()
			if late && failed != nil {
				x.d.Stop()
				return false, nil
			}
		}
		switch {
		case failed == nil:
			return true, nil
		case !Explicable(failed):
			return false, failed
		case !blame(x.d, failed):
			return false, nil
		}
		failed = nil
	}
}

// blame passes on what a resolution found out, and reports whether there is more
// to ask about it.
func blame(d *explain.Diagnosis, err error) bool {
	news := false
	for _, e := range noWheelErrors(err) {
		news = d.Blame(e.Name, e.Version, e.Targets, blameText(d, e)) || news
	}
	var no *NoSolutionError
	if errors.As(err, &no) {
		d.GiveUp(no.Said)
	}
	return news && d.Unexplained() == ""
}

// noWheelErrors finds every NoWheelError that an error wraps.
func noWheelErrors(err error) []*NoWheelError {
	switch e := err.(type) { //nolint:errorlint // all of the tree is walked here
	case *NoWheelError:
		return []*NoWheelError{e}
	case interface{ Unwrap() error }:
		return noWheelErrors(e.Unwrap())
	case interface{ Unwrap() []error }:
		var all []*NoWheelError
		for _, one := range e.Unwrap() {
			all = append(all, noWheelErrors(one)...)
		}
		return all
	}
	return nil
}

func blameText(d *explain.Diagnosis, e *NoWheelError) string {
	why := e.Said
	if forbids := d.Forbids(e.Name); forbids != "" && why == noSource {
		why = forbids
	}
	if e.Needs != "" {
		why = "its source needs a " + e.Needs + " compiler, and a build has none"
	}
	return fmt.Sprintf("no wheel for %s, and %s", strings.Join(e.Targets, ", "), why)
}

// Explicable reports whether an error of Requirements is about the list, so that
// Explain may know more.
func Explicable(err error) bool {
	var no *NoSolutionError
	return errors.As(err, &no) && !no.Unanswered() && !no.Refused() || len(noWheelErrors(err)) > 0
}
