// Package mirror asks places that may have the same content one after the other:
// Debian's mirrors, and the registries of an image. One policy serves both:
//
//   - The places are asked in the order of the configuration. One that did not answer
//     is asked last from then on: everything that is fetched after that would wait for
//     it again. One that answers keeps its place, whatever it says: it may lack this
//     content and have the next.
//   - What comes is judged by the caller. A place whose content is wrong is passed over
//     like one that has none.
//   - If no place has it, those whose answer broke off, or that were in trouble which may
//     have passed, are asked once more.
package mirror

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"
	"sync"
)

var (
	// ErrNoAnswer says that a place cannot be reached, or fell silent.
	ErrNoAnswer = errors.New("no answer")
	// ErrCut says that an answer began and broke off.
	ErrCut = errors.New("the answer broke off")
	// ErrTrouble says that a place is busy or broken for now.
	ErrTrouble = errors.New("it is in trouble")
)

// Mark returns err with its own text, for which errors.Is also finds what.
func Mark(err, what error) error { return &marked{err, what} }

type marked struct {
	error
	what error
}

// Unwrap returns the error and its mark.
func (m *marked) Unwrap() []error { return []error{m.error, m.what} }

// Memory knows which places did not answer. Its zero value knows of none. Its methods
// may be called at once from several goroutines.
type Memory struct{ silent sync.Map }

// First calls get with one place after the other until it succeeds. If it never does, the
// error is Failures, or the cause of a context that ended.
func (m *Memory) First(ctx context.Context, places []string, get func(place string) error) error {
	var failed Failures
	for _, place := range m.order(places) {
		failed = append(failed, Failure{Place: place})
	}
	for _, again := range []bool{false, true} {
		for i, f := range failed {
			if again && !errors.Is(f.Err, ErrCut) && !errors.Is(f.Err, ErrTrouble) {
				continue
			}
			err := get(f.Place)
			if err == nil {
				return nil
			}
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if errors.Is(err, ErrNoAnswer) {
				m.silent.Store(f.Place, true)
			}
			failed[i].Err = err
		}
	}
	return failed
}

// order puts the places that did not answer before behind the others.
func (m *Memory) order(places []string) []string {
	var answered, silent []string
	for _, place := range places {
		if _, ok := m.silent.Load(place); ok {
			silent = append(silent, place)
		} else {
			answered = append(answered, place)
		}
	}
	return slices.Concat(answered, silent)
}

// Failures say what went wrong with each place.
type Failures []Failure

// Failure is what went wrong with one place.
type Failure struct {
	Place string
	Err   error
}

// Error returns all in one line, without the passwords of URLs.
func (f Failures) Error() string {
	texts := make([]string, len(f))
	for i, one := range f {
		texts[i] = Redact(one.Place) + ": " + one.Err.Error()
	}
	return strings.Join(texts, "; ")
}

// Unwrap returns the errors.
func (f Failures) Unwrap() []error {
	errs := make([]error, len(f))
	for i, one := range f {
		errs[i] = one.Err
	}
	return errs
}

// Redact hides the password of a place. An image's repository is no URL, and has none.
func Redact(place string) string {
	u, err := url.Parse(place)
	switch {
	case err == nil:
		return u.Redacted()
	case strings.Contains(place, "@"):
		return "(not a URL)"
	}
	return place
}
