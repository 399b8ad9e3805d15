package resolve

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/lucid-project/base-images/internal/stage"
	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/lock"
	"github.com/lucid-project/base-images/lucidbase/lock/explain"
)

// maxRounds is how often a suggestion is tried and mended: each round resolves the
// list, sources and all, and what is found after so many is not worth the wait.
const maxRounds = 3

// Failure is a list that cannot be locked.
type Failure struct {
	Project *explain.Project
	// Err is what Requirements said of it; nil when it was not asked.
	Err error
}

// Explain finds out why a list cannot be locked, with the set's uv and pip in a
// stage, and what would do instead. solved is whether what the diagnosis suggests
// was resolved in full, for the request's targets; err is for when nothing could
// be asked.
func Explain(ctx context.Context, run Runner, set *lock.Set, f Failure, r Request) (d *explain.Diagnosis, solved bool, err error) {
	uv, err := set.Tools.Requirements(lucidbase.FormatPlatform(run.Platform()))
	if err != nil {
		return nil, false, err
	}
	if len(r.Targets) == 0 {
		r.Targets = lock.WheelTargets()
	}
	d = explain.Diagnose(f.Project, r.Targets)
	failed := f.Err
	for round := 0; ; round++ {
		if err := answer(ctx, run, set.Debian, uv, r.Targets, d); err != nil {
			return nil, false, fmt.Errorf("explaining %s: %w", r.Name, err)
		}
		if d.Unexplained() != "" || round == maxRounds {
			return d, false, nil
		}
		// A list that was found to be well by itself was tried before.
		if failed == nil || len(d.Findings()) > 0 {
			failed = try(ctx, run, set, r, d)
		}
		switch {
		case failed == nil:
			return d, true, nil
		case !Explicable(failed):
			return nil, false, failed
		case !blame(d, failed):
			return d, false, nil
		}
		failed = nil
	}
}

// answer asks until the diagnosis is done.
func answer(ctx context.Context, run Runner, debian lock.Debian, uv lock.Requirements, targets []string, d *explain.Diagnosis) error {
	version, err := lucidbase.PythonVersion(debian, run.Platform())
	if err != nil {
		return err
	}
	builder, layers := stage.NewBuilder(debian, run.Platform())
	in := d.Input()
	for jobs := d.Jobs(); len(jobs) > 0; jobs = d.Jobs() {
		ask, err := json.Marshal(struct {
			Jobs      []explain.Job `json:"jobs"`
			Targets   []string      `json:"targets"`
			Version   string        `json:"version"`
			Arguments []string      `json:"arguments"`
			Releases  []string      `json:"releases"`
		}{jobs, targets, version, arguments(in), in.AllReleases})
		if err != nil {
			return err
		}
		files, err := run.ReadFiles(ctx, builder.Explain(uv, ask), layers, []string{stage.AnswersOutput})
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
		d.Take(answers)
	}
	return nil
}

// try resolves what the diagnosis suggests, as the user's own list would be.
func try(ctx context.Context, run Runner, set *lock.Set, r Request, d *explain.Diagnosis) error {
	r.Input = d.Input()
	_, err := Requirements(ctx, run, set, r)
	return err
}

// blame passes on what a resolution found out, and tells whether there is more
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
		why = "its source needs a " + e.Needs + " compiler, which a build has not"
	}
	return fmt.Sprintf("no wheel for %s, and %s", strings.Join(e.Targets, ", "), why)
}

// noAnswer is how uv begins when the index does not answer.
var noAnswer = regexp.MustCompile(`Request failed after|Failed to fetch|error sending request`)

// Explicable tells whether an error of Requirements is about the list, so that
// Explain may know more.
func Explicable(err error) bool {
	var no *NoSolutionError
	return errors.As(err, &no) && !noAnswer.MatchString(no.Said) || len(sourceErrors(err)) > 0
}
