package cli

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/keychain"
	"github.com/lucid-project/base-images/internal/registrytls"
	"github.com/lucid-project/base-images/lucidbase/engine"
)

func TestRegistryHints(t *testing.T) {
	now := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	validFor := func(from, until time.Duration) error {
		return x509.CertificateInvalidError{Reason: x509.Expired, Cert: &x509.Certificate{NotBefore: now.Add(from), NotAfter: now.Add(until)}}
	}
	answer := func(status int, code transport.ErrorCode) error {
		return &transport.Error{StatusCode: status, Errors: []transport.Diagnostic{{Code: code}}}
	}
	for _, c := range []struct {
		name string
		err  error
		hint string
	}{
		{"helper not installed", &keychain.HelperError{Program: "docker-credential-x", Err: exec.ErrNotFound}, "install docker-credential-x, or take it out of"},
		{"helper fails", &keychain.HelperError{Program: "docker-credential-x", Err: errors.New("exit 1")}, "'echo HOST | docker-credential-x get'"},
		{"configuration", &keychain.FileError{File: "config.json", Err: errors.New("no JSON")}, "mend or remove that file"},
		{"certificates", &registrytls.Error{Registry: "r.example", Err: errors.New("no certificate in it")}, "certs.d"},
		{"clock", validFor(time.Hour, 2*time.Hour), "this machine's clock says 2026-11-26 12:00:00 UTC, and the certificate begins at 2026-11-26 13:00:00: set the clock"},
		{"old certificate", validFor(-2*time.Hour, -time.Hour), "the certificate ended at 2026-11-26 11:00:00 UTC"},
		{"authority", x509.UnknownAuthorityError{}, "--ca-bundle"},
		{"name", x509.HostnameError{}, "its certificate is for another name"},
		{"expired token", answer(http.StatusUnauthorized, transport.UnauthorizedErrorCode), "may have expired"},
		{"name that is not taken", answer(http.StatusNotFound, transport.NameUnknownErrorCode), "create the repository there first"},
		{"name that is too deep", answer(http.StatusBadRequest, transport.NameInvalidErrorCode), "with fewer parts"},
		{"index", answer(http.StatusBadRequest, transport.ManifestInvalidErrorCode), "OCI image indexes"},
		{"media type", answer(http.StatusUnsupportedMediaType, ""), "OCI image indexes"},
		{"manifest", &transport.Error{StatusCode: http.StatusBadRequest, Request: httptest.NewRequest(http.MethodPut, "/v2/a/manifests/v1", nil)}, "OCI image indexes"},
		{"blob", &transport.Error{StatusCode: http.StatusBadRequest, Request: httptest.NewRequest(http.MethodPut, "/v2/a/blobs/uploads/1", nil)}, ""},
		{"large layer", answer(http.StatusRequestEntityTooLarge, ""), "take larger bodies"},
		{"something else", answer(http.StatusTeapot, ""), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := &engine.PushError{Err: fmt.Errorf("pushing to r.example/a: %w", c.err)}
			got := credentialsHint(err, now)
			if got == "" {
				got = hint(err)
			}
			if c.hint == "" {
				require.Empty(t, got)
				return
			}
			require.Contains(t, got, c.hint)
		})
	}
}

// What BuildKit says of a cache that it could not write is text.
func TestCacheHints(t *testing.T) {
	for _, c := range []struct{ reason, hint string }{
		{"unexpected status from HEAD request to http://r.example/v2/: 401 Unauthorized", "may have expired"},
		{"unauthorized: token has expired", "may have expired"},
		{"tls: failed to verify certificate: x509: certificate signed by unknown authority", "--ca-bundle"},
		{"tls: failed to verify certificate: x509: certificate is valid for a, not b", "for another name"},
		{"tls: failed to verify certificate: x509: certificate has expired or is not yet valid", "set this machine's clock"},
		{"dial tcp 127.0.0.1:1: connect: connection refused", "check --cache-to"},
		{"write /ci/ingest/data: no space left on device", "free space"},
		{"unexpected status: 500 Internal Server Error", ""},
	} {
		err := &engine.CacheWriteError{Places: []string{"r.example/cache"}, Err: &engine.StepError{Step: "exporting cache to registry", Reason: c.reason}}
		require.EqualError(t, err, "writing the cache r.example/cache: "+c.reason)
		if c.hint == "" {
			require.Empty(t, hint(err))
			continue
		}
		require.Contains(t, hint(err), c.hint, c.reason)
	}
}
