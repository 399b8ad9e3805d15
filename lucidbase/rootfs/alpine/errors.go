package alpine

import (
	"errors"
	"net/url"
	"strings"
)

// placeErrors say what went wrong with each place, in one line.
type placeErrors []error

// Error joins the texts.
func (p placeErrors) Error() string {
	texts := make([]string, len(p))
	for i, err := range p {
		texts[i] = err.Error()
	}
	return strings.Join(texts, "; ")
}

// Unwrap returns the errors.
func (p placeErrors) Unwrap() []error { return p }

// pullError says in one line why a registry sends nothing.
func pullError(err error) error {
	var named *url.Error
	if errors.As(err, &named) {
		err = named.Err
	}
	return &oneLineError{err}
}

// oneLineError is an error whose text has lines.
type oneLineError struct{ error }

// Error returns the text with spaces for line ends.
func (e *oneLineError) Error() string { return strings.Join(strings.Fields(e.error.Error()), " ") }

// Unwrap returns the error itself.
func (e *oneLineError) Unwrap() error { return e.error }
