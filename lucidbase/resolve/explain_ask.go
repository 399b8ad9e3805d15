package resolve

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/lucid-project/base-images/internal/explain"
	"github.com/lucid-project/base-images/internal/stage"
	"github.com/lucid-project/base-images/internal/supply"
	"github.com/lucid-project/base-images/lucidbase/lock"
)

// answer asks until the diagnosis is done. failed is what a resolution of the list as
// it is now has said, if there was one.
func (x *explainer) answer(ctx context.Context, failed error) error {
	for jobs := x.d.Jobs(); len(jobs) > 0; jobs = x.d.Jobs() {
		if known := x.known(jobs, failed); known != nil {
			x.d.Take(known)
			continue
		}
		left := time.Until(x.until)
		if left <= 0 {
			x.d.Stop()
			return nil
		}
		next := x.next(jobs)
		answers, err := x.ask(ctx, slices.Concat(jobs, next), left)
		if err != nil {
			return err
		}
		x.d.Take(answers[:len(jobs)])
		if len(next) > 0 && reflect.DeepEqual(x.d.Jobs(), next) {
			x.d.Take(answers[len(jobs):])
		}
	}
	return nil
}

// next returns what is likely to be asked after the jobs, to be asked together with
// them: whether the lines of a list, with the wrong ones corrected, go together.
func (x *explainer) next(jobs []explain.Job) []explain.Job {
	if jobs[0].Kind != explain.Alone || len(x.d.Findings()) == 0 {
		return nil
	}
	in := x.d.Query()
	return []explain.Job{{Kind: explain.Together, Requirements: in.Requirements, Constraints: in.Constraints}}
}

// ask has a stage answer the jobs.
func (x *explainer) ask(ctx context.Context, jobs []explain.Job, left time.Duration) ([]explain.Answer, error) {
	version, err := supply.PythonVersion(x.set.Debian, x.run.Platform())
	if err != nil {
		return nil, err
	}
	in := x.d.Query()
	question, err := json.Marshal(struct {
		Nonce     string        `json:"nonce"`
		Jobs      []explain.Job `json:"jobs"`
		Targets   []string      `json:"targets"`
		Version   string        `json:"version"`
		Seconds   float64       `json:"seconds"`
		Arguments []string      `json:"arguments"`
		Releases  []string      `json:"releases"`
	}{rand.Text(), jobs, x.request.Targets, version, left.Seconds(), arguments(in), in.AllReleases})
	if err != nil {
		return nil, err
	}
	builder, layers := stage.NewBuilder(x.set.Debian, x.run.Platform())
	files, err := x.run.ReadFiles(ctx, builder.Explain(x.uv, question), layers, []string{stage.AnswersOutput})
	if err != nil {
		return nil, err
	}
	var answers []explain.Answer
	if err := json.Unmarshal(files[stage.AnswersOutput], &answers); err != nil {
		return nil, fmt.Errorf("parsing %s: %w", stage.AnswersOutput, err)
	}
	if len(answers) != len(jobs) {
		return nil, fmt.Errorf("parsing %s: %d answers to %d questions", stage.AnswersOutput, len(answers), len(jobs))
	}
	return answers, nil
}

// known returns the answer to a question that the failed resolution has answered
// already: whether the unchanged list has a solution by itself.
func (x *explainer) known(jobs []explain.Job, failed error) []explain.Answer {
	var no *NoSolutionError
	alone := x.request.Base == "" || x.request.Base == lock.Bare
	if !alone || len(x.d.Findings()) > 0 || jobs[0].Kind != explain.Together || len(jobs) > 1 || !errors.As(failed, &no) {
		return nil
	}
	said := slices.DeleteFunc(strings.Split(no.Said, "\n"), func(line string) bool { return strings.HasPrefix(line, "warning: ") })
	return []explain.Answer{{Error: strings.Join(said, "\n")}}
}
