package engine

import (
	"errors"
	"slices"
	"strings"
	"syscall"

	"github.com/lucid-project/base-images/internal/patient"
	"github.com/lucid-project/base-images/lucidbase/engine/internal/image"
)

// ErrUnreachable says that a step of a build could not reach the network, as far as
// what its program said shows. Errors of this process are those of package net.
var ErrUnreachable = errors.New("the network cannot be reached")

// ErrRefused says that a server did not let a step of a build in, as far as what its program said shows.
var ErrRefused = errors.New("the server refuses the credentials")

// ErrImpostor says that something else may have answered in a registry's place, such as
// a proxy: a page for people, a redirect to nowhere, a success for nothing.
var ErrImpostor = patient.ErrImpostor

// ErrMoved says that the image has arrived in the registry, and that somebody else's push
// of the same tag came after: the tag is theirs.
var ErrMoved = image.ErrMoved

// PushError says that images were not pushed, or would not be.
type PushError struct{ Err error }

// Error names the repository and what was to be done there.
func (e *PushError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *PushError) Unwrap() error { return e.Err }

// CABundleError says that certificate authorities cannot be read.
type CABundleError struct{ Err error }

// Error names the file.
func (e *CABundleError) Error() string { return "reading the CA bundle: " + e.Err.Error() }

// Unwrap returns the cause.
func (e *CABundleError) Unwrap() error { return e.Err }

// StepError says that a step of a build failed, or BuildKit itself. It is syscall.ENOSPC, ErrUnreachable or ErrRefused for
// errors.Is where its reason shows that: BuildKit passes on what programs said as text.
type StepError struct {
	// Step is the step's name; empty where BuildKit itself failed.
	Step string
	// Reason is what the program said last, or BuildKit, in one line.
	Reason string
	// FullNode names the BuildKit elsewhere whose disk is full; empty where that is not the reason.
	FullNode string

	log   string // how the error names the file with all that was said
	cause error
}

// Error names the step, and the file with its log if there is one.
func (e *StepError) Error() string {
	reason := e.Reason
	if e.FullNode != "" {
		reason = e.FullNode + ": " + reason
	}
	if e.Step == "" {
		return reason
	}
	return "building " + e.Step + ": " + reason + e.log
}

// Unwrap returns the cause where it is more than text.
func (e *StepError) Unwrap() error { return e.cause }

// Is reports whether the reason shows the target.
func (e *StepError) Is(target error) bool {
	switch target {
	case syscall.ENOSPC:
		return e.says("no space left on device")
	case ErrRefused:
		return e.says("401 unauthorized", "403 forbidden", "error 401", "error 403", "unauthorized: ")
	case ErrUnreachable:
		// In the words of the C library, Go's, Rust's or Python's.
		return e.says("no answer", "i/o timeout", "error sending request", "connection refused",
			"network is unreachable", "no such host", "name resolution")
	}
	return false
}

func (e *StepError) says(any ...string) bool {
	reason := strings.ToLower(e.Reason)
	return slices.ContainsFunc(any, func(part string) bool { return strings.Contains(reason, part) })
}
