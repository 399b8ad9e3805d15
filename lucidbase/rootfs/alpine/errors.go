package alpine

import (
	"errors"
	"net/url"
	"strings"

	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/lucid-project/base-images/internal/mirror"
	"github.com/lucid-project/base-images/internal/patient"
)

// pullError says in one line why a registry sends nothing.
func pullError(err error) error {
	silent := !answered(err)
	var named *url.Error
	if errors.As(err, &named) {
		err = named.Err
	}
	err = &oneLineError{err}
	if silent {
		err = mirror.Mark(err, mirror.ErrNoAnswer)
	}
	return err
}

// answered reports whether a registry answered, with what is no help. One that stays
// too busy counts as silent.
func answered(err error) bool {
	switch {
	case errors.As(err, new(*patient.BusyError)), errors.As(err, new(*patient.SilenceError)):
		return false
	case errors.As(err, new(*transport.Error)), errors.Is(err, patient.ErrImpostor):
		return true
	}
	return !errors.As(err, new(*url.Error))
}

// oneLineError is an error whose text has lines.
type oneLineError struct{ error }

// Error returns the text with spaces for line ends.
func (e *oneLineError) Error() string { return strings.Join(strings.Fields(e.error.Error()), " ") }

// Unwrap returns the error itself.
func (e *oneLineError) Unwrap() error { return e.error }
