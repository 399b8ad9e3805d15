package engine

import (
	"errors"
	"fmt"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// What programs said of the cause is there for errors.Is.
func TestStepErrorShowsItsCause(t *testing.T) {
	for reason, want := range map[string]error{
		"error: Failed to fetch; cause: Connection refused (os error 111)":    ErrUnreachable,
		"ERROR: none found ([Errno -3] Temporary failure in name resolution)": ErrUnreachable,
		"OSError: [Errno 28] No space left on device":                         syscall.ENOSPC,
		"write /x: no space left on device":                                   syscall.ENOSPC,
		"error: no such version":                                              nil,
	} {
		err := fmt.Errorf("locking: %w", &StepError{Step: "python packages", Reason: reason})
		require.EqualError(t, err, "locking: building python packages: "+reason)
		for _, target := range []error{ErrUnreachable, syscall.ENOSPC} {
			require.Equal(t, errors.Is(want, target), errors.Is(err, target), "%s: %v", reason, target)
		}
	}
}
