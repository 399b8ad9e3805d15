package engine

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"

	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// systemBundles are where distributions keep the certificate authorities that a
// machine trusts, a company's own among them, as crypto/x509 looks for them.
var systemBundles = []string{
	"/etc/ssl/certs/ca-certificates.crt",
	"/etc/pki/tls/certs/ca-bundle.crt",
	"/etc/ssl/ca-bundle.pem",
	"/etc/ssl/cert.pem",
}

func defaultCABundle() string {
	if file := os.Getenv("SSL_CERT_FILE"); file != "" {
		return file
	}
	for _, file := range systemBundles {
		if _, err := os.Stat(file); err == nil {
			return file
		}
	}
	return ""
}

// trust gives the system's certificate authorities and those of the CA bundle.
func (o options) trust() (*tls.Config, error) {
	pool, err := x509.SystemCertPool()
	if err != nil {
		return nil, fmt.Errorf("reading the system's certificates: %w", err)
	}
	if o.caBundle == "" {
		return &tls.Config{RootCAs: pool}, nil
	}
	pem, err := os.ReadFile(o.caBundle)
	if err != nil {
		return nil, fmt.Errorf("reading the CA bundle: %w", err)
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("reading the CA bundle %s: no certificate in it", o.caBundle)
	}
	return &tls.Config{RootCAs: pool}, nil
}

// registryTransport reaches registries.
func registryTransport(trusted *tls.Config) http.RoundTripper {
	transport := remote.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = trusted
	return transport
}
