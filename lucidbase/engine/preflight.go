package engine

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/lucid-project/base-images/internal/keychain"
)

// checkRegistry finds out before a long build whether somebody answers where its images
// are to be pushed, and knows the user. Whether the user may push, the push shows: to
// ask would start an upload.
func checkRegistry(ctx context.Context, repo name.Repository, rt http.RoundTripper) error {
	auth, err := authn.Resolve(ctx, keychain.Default, repo)
	if err != nil {
		return fmt.Errorf("finding credentials: %w", err)
	}
	client, err := transport.NewWithContext(ctx, repo.Registry, auth, rt, []string{repo.Scope(transport.PushScope)})
	var answer *transport.Error
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil && !errors.As(err, &answer):
		return brief{oneLine(err.Error()), err}
	case err == nil:
		err = getRoot(ctx, client, repo.Registry)
	}
	switch {
	case !errors.As(err, &answer):
		return nil
	case answer.StatusCode == http.StatusUnauthorized, answer.StatusCode == http.StatusForbidden:
		return brief{fmt.Sprintf("%d %s", answer.StatusCode, http.StatusText(answer.StatusCode)), err}
	}
	return nil // what else is wrong may pass: the push tries several times
}

// getRoot makes the one request that every registry answers, with credentials.
func getRoot(ctx context.Context, client http.RoundTripper, registry name.Registry) error {
	url := fmt.Sprintf("%s://%s/v2/", registry.Scheme(), registry.RegistryStr())
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := client.RoundTrip(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	return transport.CheckError(resp, http.StatusOK)
}

// brief says an error in fewer words.
type brief struct {
	text string
	error
}

func (b brief) Error() string { return b.text }
func (b brief) Unwrap() error { return b.error }
