package cli

import (
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/certstest"
	"github.com/lucid-project/base-images/lucidbase/engine"
)

// What says in a text alone that a certificate is out of its time is told by the clock,
// too: an engine, and a program of a step.
func TestClockHints(t *testing.T) {
	authority := certstest.New(t)
	now := time.Now()
	for name, certs := range map[string]string{
		"ended":     authority.Issue(t, "127.0.0.1", now.Add(-time.Hour)),
		"not begun": authority.IssueFrom(t, "127.0.0.1", now.Add(time.Hour), now.Add(2*time.Hour)),
	} {
		t.Run(name, func(t *testing.T) {
			own, err := tls.LoadX509KeyPair(filepath.Join(certs, "cert.pem"), filepath.Join(certs, "key.pem"))
			require.NoError(t, err)
			s := httptest.NewUnstartedServer(http.NotFoundHandler())
			s.Config.ErrorLog = log.New(io.Discard, "", 0) // of the handshakes that are to fail
			s.TLS = &tls.Config{Certificates: []tls.Certificate{own}}
			s.EnableHTTP2 = true
			s.StartTLS()
			defer s.Close()
			_, err = engine.Open(t.Context(), strings.Replace(s.URL, "https", "tcp", 1)+"?cert="+certs, engine.WithCacheDir(t.TempDir()))
			require.ErrorContains(t, err, "certificate has expired or is not yet valid")
			require.Contains(t, hint(err), "have that certificate renewed, or set this machine's clock if ")
		})
	}
	for _, said := range []string{
		"building install uv 0.13.9: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate is not yet valid (_ssl.c:992)",
		"building install 3 packages: invalid peer certificate: certificate expired: verification time 1764237600 (UNIX)",
		"building install 3 packages: invalid peer certificate: NotValidYet",
		"connecting to BuildKit at tcp://10.0.0.1:1234: it refuses the client's certificate: tls: expired certificate",
	} {
		require.Contains(t, hint(errors.New(said)), "set this machine's clock", said)
	}
	for _, said := range []string{"invalid peer certificate: UnknownIssuer; a token expired", "the certificate is for another name"} {
		require.NotContains(t, hint(errors.New(said)), "clock", said)
	}
}
