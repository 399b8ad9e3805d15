package cli

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/lucid-project/base-images/internal/keychain"
	"github.com/lucid-project/base-images/internal/patient"
	"github.com/lucid-project/base-images/internal/registrytls"
	"github.com/lucid-project/base-images/lucidbase/engine"
)

// credentialsHint is about credentials and certificates that this machine has, and about
// its clock.
func credentialsHint(err error, now time.Time) string {
	var helper *keychain.HelperError
	var file *keychain.FileError
	var own *registrytls.Error
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &helper) && errors.Is(err, exec.ErrNotFound):
		return "install " + helper.Program + ", or take it out of credsStore and credHelpers in that file and log in again"
	case errors.As(err, &helper):
		return "log in to the registry again; to see what the helper says, run 'echo HOST | " + helper.Program + " get'"
	case errors.As(err, &file):
		return "mend or remove that file, and log in to the registry again"
	case errors.As(err, &own):
		return "certs.d has a directory HOST:PORT with ca.crt, client.cert and client.key: mend or remove that file"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return clockHint(invalid.Cert, now)
	case expired.MatchString(err.Error()):
		return fmt.Sprintf("have that certificate renewed, or set this machine's clock if %s UTC is wrong", now.UTC().Format(time.DateTime))
	}
	return ""
}

// expired is how BuildKit's client, uv and pip say in a text that a certificate is out of
// its time.
var expired = regexp.MustCompile(`(?i)certificate\b[^;]*\b(expired|not yet valid|not valid yet|NotValidYet)\b`)

// clockHint distinguishes a wrong clock from an old certificate, as far as that is possible.
func clockHint(cert *x509.Certificate, now time.Time) string {
	clock := now.UTC().Format(time.DateTime)
	if now.Before(cert.NotBefore) {
		return fmt.Sprintf("this machine's clock says %s UTC, and the certificate begins at %s: set the clock", clock, cert.NotBefore.UTC().Format(time.DateTime))
	}
	return fmt.Sprintf("the certificate ended at %s UTC: have it renewed, or set this machine's clock if %s is wrong", cert.NotAfter.UTC().Format(time.DateTime), clock)
}

// pushHint is about a push that failed.
func pushHint(err error) string {
	var answer *transport.Error
	if errors.As(err, &answer) {
		if h := answerHint(answer); h != "" {
			return h
		}
	}
	var busy *patient.BusyError
	switch {
	case errors.As(err, &busy):
		return "push again later: what has arrived is not sent again"
	case errors.Is(err, engine.ErrMoved):
		return "the image has arrived, the tag is another push's: push again if it should be this one's"
	case errors.Is(err, engine.ErrImpostor):
		return "something else may answer in the registry's place: check --registry and the proxy variables"
	case errors.As(err, new(x509.UnknownAuthorityError)):
		return "trust its authority with --ca-bundle, or as ca.crt in certs.d/HOST:PORT of Docker or Podman; --insecure-registry HOST:PORT trusts anybody"
	case errors.As(err, new(x509.HostnameError)):
		return "check --registry: its certificate is for another name"
	case unreachable(err):
		return "check --registry, the network and the proxy variables"
	}
	return ""
}

// loginHint is about credentials that a registry refuses.
const loginHint = "log in to the registry with 'docker login' or 'skopeo login', as a user who may push there"

// cacheHint is about a cache for other machines that was not written. What BuildKit says
// of it is text.
func cacheHint(err error) string {
	text := err.Error()
	switch {
	case errors.Is(err, engine.ErrRefused):
		return loginHint + "; what was stored may have expired"
	case strings.Contains(text, "x509: certificate signed by unknown authority"):
		return "trust its authority with --ca-bundle, as ca.crt in certs.d/HOST:PORT or, of a BuildKit elsewhere, in its configuration; --insecure-registry HOST:PORT trusts anybody"
	case strings.Contains(text, "x509: "):
		return "check --cache-to: the registry's certificate is for another name"
	case unreachable(err):
		return "check --cache-to, the network and the proxy variables"
	}
	return ""
}

// answerHint is about what a registry answered.
func answerHint(answer *transport.Error) string {
	has := func(code transport.ErrorCode) bool {
		return slices.ContainsFunc(answer.Errors, func(d transport.Diagnostic) bool { return d.Code == code })
	}
	switch {
	case answer.StatusCode == http.StatusUnauthorized:
		return loginHint + "; what was stored may have expired"
	case answer.StatusCode == http.StatusForbidden:
		return loginHint
	case has(transport.NameUnknownErrorCode), has(transport.NameInvalidErrorCode):
		return "the registry does not take that name: create the repository there first, or choose another --registry, perhaps with fewer parts"
	case has(transport.ManifestInvalidErrorCode), has(transport.UnsupportedErrorCode), answer.StatusCode == http.StatusUnsupportedMediaType, isManifest(answer) && answer.StatusCode == http.StatusBadRequest:
		return "the registry refuses the manifest: it has to take OCI image indexes (the OCI distribution specification, 1.0)"
	case answer.StatusCode == http.StatusRequestEntityTooLarge:
		return "a proxy before the registry limits the size of a layer: have it take larger bodies"
	}
	return ""
}

// isManifest reports whether an answer is to a manifest that was sent.
func isManifest(answer *transport.Error) bool {
	return answer.Request != nil && answer.Request.Method == http.MethodPut && strings.Contains(answer.Request.URL.Path, "/manifests/")
}
