package resolve

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lucid-project/base-images/internal/explain"
	"github.com/lucid-project/base-images/internal/stage"
	"github.com/lucid-project/base-images/internal/supply"
	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/lock"
)

// maxRounds is how often a suggestion is tried and mended: each round resolves the
// list, sources and all, and what is found after so many is not worth the wait.
const maxRounds = 3

// ExplainLimit is how long an explanation takes at most by default:
// whoever waits longer for a typing error looks for it in the list instead.
const ExplainLimit = 30 * time.Second

// Failure is a list that cannot be locked.
type Failure struct {
	Project *explain.Project
	// Err is what Requirements said of it; nil when it was not asked.
	Err error
	// Limit ends the explanation with what is known by then; zero is ExplainLimit.
	Limit time.Duration
}

// Explain finds out why a list cannot be locked, with the set's uv and pip in a
// stage, and what would do instead. solved is whether what the diagnosis suggests
// was resolved in full, for the request's targets; err is for when nothing could
// be asked. What there was no time for is the diagnosis's Unseen.
func Explain(ctx context.Context, run Runner, set *lock.Set, f Failure, r Request) (d *explain.Diagnosis, solved bool, err error) {
	uv, err := set.Tools.Requirements(lucidbase.FormatPlatform(run.Platform()))
	if err != nil {
		return nil, false, err
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
		return nil, false, fmt.Errorf("explaining %s: %w", r.Name, err)
	}
	x := explainer{run: run, set: set, uv: uv, request: r, until: time.Now().Add(f.Limit), d: explain.Diagnose(f.Project, r.Targets)}
	solved, err = x.explain(ctx, f.Err)
	if err != nil {
		return nil, false, err
	}
	return x.d, solved, nil
}

// explainer asks for one diagnosis until its time is over.
type explainer struct {
	run     Runner
	set     *lock.Set
	uv      lock.Requirements
	request Request
	until   time.Time
	d       *explain.Diagnosis
}

func (x *explainer) explain(ctx context.Context, failed error) (solved bool, err error) {
	for round := 0; ; round++ {
		if err := x.answer(ctx, failed); err != nil {
			return false, fmt.Errorf("explaining %s: %w", x.request.Name, err)
		}
		if x.d.Unexplained() != "" || x.d.Unseen() != "" || round == maxRounds {
			return false, nil
		}
		// A list that was found to be well by itself was tried before.
		if failed == nil || len(x.d.Findings()) > 0 {
			limited, cancel := context.WithDeadline(ctx, x.until)
			failed = try(limited, x.run, x.set, x.request, x.d)
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

// answer asks until the diagnosis is done. failed is what a resolution of the list as
// it is now has said, if there was one.
func (x *explainer) answer(ctx context.Context, failed error) error {
	version, err := supply.PythonVersion(x.set.Debian, x.run.Platform())
	if err != nil {
		return err
	}
	builder, layers := stage.NewBuilder(x.set.Debian, x.run.Platform())
	in := x.d.Input()
	for jobs := x.d.Jobs(); len(jobs) > 0; jobs = x.d.Jobs() {
		if known := x.known(jobs, failed); known != nil {
			x.d.Take(known)
			continue
		}
		left := time.Until(x.until).Seconds()
		if left <= 0 {
			x.d.Stop()
			return nil
		}
		ask, err := json.Marshal(struct {
			Nonce     string        `json:"nonce"`
			Jobs      []explain.Job `json:"jobs"`
			Targets   []string      `json:"targets"`
			Version   string        `json:"version"`
			Seconds   float64       `json:"seconds"`
			Arguments []string      `json:"arguments"`
			Releases  []string      `json:"releases"`
		}{rand.Text(), jobs, x.request.Targets, version, left, arguments(in), in.AllReleases})
		if err != nil {
			return err
		}
		files, err := x.run.ReadFiles(ctx, builder.Explain(x.uv, ask), layers, []string{stage.AnswersOutput})
		if err != nil {
			return err
		}
		var answers []explain.Answer
		if err := json.Unmarshal(files[stage.AnswersOutput], &answers); err != nil {
			return fmt.Errorf("parsing %s: %w", stage.AnswersOutput, err)
		}
		if len(answers) != len(jobs) {
			return fmt.Errorf("parsing %s: %d answers to %d questions", stage.AnswersOutput, len(answers), len(jobs))
		}
		x.d.Take(answers)
	}
	return nil
}

// known returns the answer to a question that the resolution was: whether the list,
// nothing of it changed, has a solution by itself.
func (x *explainer) known(jobs []explain.Job, failed error) []explain.Answer {
	var no *NoSolutionError
	alone := x.request.Base == "" || x.request.Base == lock.Bare
	if !alone || len(x.d.Findings()) > 0 || jobs[0].Kind != explain.Together || len(jobs) > 1 || !errors.As(failed, &no) {
		return nil
	}
	said := slices.DeleteFunc(strings.Split(no.Said, "\n"), func(line string) bool { return strings.HasPrefix(line, "warning: ") })
	return []explain.Answer{{Error: strings.Join(said, "\n")}}
}

// try resolves what the diagnosis suggests, as the user's own list would be.
func try(ctx context.Context, run Runner, set *lock.Set, r Request, d *explain.Diagnosis) error {
	r.Input = d.Input()
	_, err := Requirements(ctx, run, set, r)
	return err
}

// blame passes on what a resolution found out, and reports whether there is more
// to ask about it.
func blame(d *explain.Diagnosis, err error) bool {
	news := false
	for _, e := range sourceErrors(err) {
		news = d.Blame(e.Name, e.Version, e.Targets, blameText(d, e)) || news
	}
	var no *NoSolutionError
	if errors.As(err, &no) {
		d.GiveUp(no.Said)
	}
	return news && d.Unexplained() == ""
}

// sourceErrors finds every SourceError that an error wraps.
func sourceErrors(err error) []*SourceError {
	switch e := err.(type) { //nolint:errorlint // all of the tree is walked here
	case *SourceError:
		return []*SourceError{e}
	case interface{ Unwrap() error }:
		return sourceErrors(e.Unwrap())
	case interface{ Unwrap() []error }:
		var all []*SourceError
		for _, one := range e.Unwrap() {
			all = append(all, sourceErrors(one)...)
		}
		return all
	}
	return nil
}

func blameText(d *explain.Diagnosis, e *SourceError) string {
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
	return errors.As(err, &no) && !no.Unanswered() || len(sourceErrors(err)) > 0
}
