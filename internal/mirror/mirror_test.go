package mirror_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/mirror"
)

func TestFirst(t *testing.T) {
	lacks := errors.New("404")
	silent := mirror.Mark(errors.New("timeout"), mirror.ErrNoAnswer)
	cut := mirror.Mark(errors.New("unexpected EOF"), mirror.ErrCut)
	trouble := mirror.Mark(errors.New("503"), mirror.ErrTrouble)
	for name, c := range map[string]struct {
		// answers of each place, the last again and again; nil is the content.
		a, b []error
		// asked lists the places of two calls; error is the second one's.
		asked, error string
	}{
		"the first has it":             {[]error{nil}, []error{nil}, "a a", ""},
		"one that lacks it":            {[]error{lacks}, []error{nil}, "ab ab", ""},
		"one that does not answer":     {[]error{silent}, []error{nil}, "ab b", ""},
		"another has what broke off":   {[]error{cut, nil}, []error{nil}, "ab a", ""},
		"only one has what breaks":     {[]error{cut, nil}, []error{lacks}, "aba a", ""},
		"only one has it, and is busy": {[]error{trouble, nil}, []error{lacks}, "aba a", ""},
		"it breaks off for ever":       {[]error{cut}, []error{lacks}, "aba aba", "a: unexpected EOF; b: 404"},
		"silent at last":               {[]error{cut, silent}, []error{lacks}, "aba ba", "b: 404; a: timeout"},
		"nobody answers":               {[]error{silent}, []error{silent}, "ab ab", "a: timeout; b: timeout"},
	} {
		t.Run(name, func(t *testing.T) {
			var m mirror.Memory
			answers := map[string][]error{"a": c.a, "b": c.b}
			var asked string
			get := func(place string) error {
				asked += place
				err := answers[place][0]
				if len(answers[place]) > 1 {
					answers[place] = answers[place][1:]
				}
				return err
			}
			_ = m.First(t.Context(), []string{"a", "b"}, get)
			asked += " "
			err := m.First(t.Context(), []string{"a", "b"}, get)
			require.Equal(t, c.asked, asked)
			if c.error == "" {
				require.NoError(t, err)
			} else {
				require.EqualError(t, err, c.error)
			}
		})
	}
}

func TestFirstIsCancelled(t *testing.T) {
	reason := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	var m mirror.Memory
	err := m.First(ctx, []string{"a", "b"}, func(place string) error {
		require.Equal(t, "a", place)
		cancel(reason)
		return errors.New("cancelled")
	})
	require.Equal(t, reason, err)
}

func TestFailures(t *testing.T) {
	var m mirror.Memory
	lacks := errors.New("404")
	err := m.First(t.Context(), []string{"https://ann:secret@example.com/debian", "https://%@", "example.com:5000/hub"}, func(string) error { return lacks })
	require.EqualError(t, err, "https://ann:xxxxx@example.com/debian: 404; (not a URL): 404; example.com:5000/hub: 404")
	require.ErrorIs(t, err, lacks)
	require.Len(t, err, 3)
}
