package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/lucid-project/base-images/lucidbase/verify"
)

// judged is a platform of an image and the judgement of it.
type judged struct {
	name string
	verify.Result
}

// unread is an argument that could not be read.
type unread struct {
	name string
	err  error
}

// judgement is what the reports are made of.
type judgement struct {
	results []judged
	unread  []unread
	// rules are those that were applied.
	rules   []verify.Rule
	waivers []verify.Waiver
}

// errors returns an error with a line for each argument that could not be read.
func (j judgement) errors() error {
	var errs []error
	for _, u := range j.unread {
		errs = append(errs, fmt.Errorf("could not read %s: %w", u.name, oneLine(u.err)))
	}
	return errors.Join(errs...)
}

func (j judgement) unusedWaivers() []verify.Waiver {
	return slices.DeleteFunc(slices.Clone(j.waivers), func(w verify.Waiver) bool {
		return slices.ContainsFunc(j.results, func(r judged) bool {
			return slices.ContainsFunc(r.Waived, func(f verify.Finding) bool { return f.Rule == w.Rule && f.Path == w.Path })
		})
	})
}

// reason is that of the waiver of a finding.
func (j judgement) reason(f verify.Finding) string {
	for _, w := range j.waivers {
		if w.Rule == f.Rule && w.Path == f.Path {
			return w.Reason
		}
	}
	return ""
}

// lineError shows an error on one line, without what a terminal takes for a
// command: it may have text of the image in it.
type lineError struct{ error }

func (e lineError) Error() string {
	return verify.Printable(strings.ReplaceAll(strings.TrimSpace(e.error.Error()), "\n", "; "))
}
func (e lineError) Unwrap() error { return e.error }

func oneLine(err error) error { return lineError{err} }
