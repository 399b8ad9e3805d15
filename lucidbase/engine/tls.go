package engine

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/moby/buildkit/util/progress/progressui"

	"github.com/lucid-project/base-images/internal/patient"
	"github.com/lucid-project/base-images/internal/registrytls"
	"github.com/lucid-project/base-images/lucidbase/engine/internal/image"
)

// systemBundles are where distributions keep the certificate authorities that a
// machine trusts, a company's own among them, as crypto/x509 looks for them.
var systemBundles = []string{
	"/etc/ssl/certs/ca-certificates.crt",
	"/etc/pki/tls/certs/ca-bundle.crt",
	"/etc/ssl/ca-bundle.pem",
	"/etc/ssl/cert.pem",
}

func systemBundle() string {
	for _, file := range systemBundles {
		if _, err := os.Stat(file); err == nil {
			return file
		}
	}
	return ""
}

// maxSecret is what BuildKit takes (secretsprovider's MaxSecretSize).
const maxSecret = 500 * 1024

// trust returns the certificate authorities of the system and those of the CA
// bundle, each once: for this process, and as PEM for networked steps.
func trust(system, bundle string) (*tls.Config, []byte, error) {
	pool, err := x509.SystemCertPool()
	if err != nil {
		return nil, nil, fmt.Errorf("reading the system's certificates: %w", err)
	}
	var authorities bytes.Buffer
	seen := map[string]bool{}
	add := func(file string) (found bool, err error) {
		data, err := os.ReadFile(file)
		for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
			if block.Type != "CERTIFICATE" {
				continue
			}
			found = true
			if !seen[string(block.Bytes)] {
				seen[string(block.Bytes)] = true
				_ = pem.Encode(&authorities, &pem.Block{Type: block.Type, Bytes: block.Bytes}) // to memory
			}
		}
		return found, err
	}
	if _, err := add(system); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, nil, fmt.Errorf("reading the system's certificates: %w", err)
	}
	if bundle != "" {
		found, err := add(bundle)
		if err != nil {
			return nil, nil, &CABundleError{err}
		}
		if !found {
			return nil, nil, &CABundleError{fmt.Errorf("%s: no certificate in it", bundle)}
		}
	}
	if authorities.Len() > maxSecret {
		return nil, nil, &CABundleError{fmt.Errorf("%s: with the system's certificates it has %d bytes, BuildKit takes %d", bundle, authorities.Len(), maxSecret)}
	}
	pool.AppendCertsFromPEM(authorities.Bytes())
	return &tls.Config{RootCAs: pool}, authorities.Bytes(), nil
}

// RegistryTransport reaches registries as an Engine does that is opened with the
// same options. Of these, WithCABundle, WithInsecureRegistries, WithRegistryTimeout and WithProgress count:
// a registry that is waited for is named there.
func RegistryTransport(opts ...Option) (http.RoundTripper, error) {
	o := newOptions(opts)
	trusted, _, err := trust(systemBundle(), o.caBundle)
	if err != nil {
		return nil, err
	}
	return o.registryTransport(trusted), nil
}

// registryTransport reaches registries.
func (o *options) registryTransport(trusted *tls.Config) http.RoundTripper {
	base := remote.DefaultTransport.(*http.Transport).Clone()
	base.TLSClientConfig = trusted
	transport := patient.New(base, o.registryTimeout)
	transport.Base = &registrytls.Transport{Base: transport.Base.(*http.Transport), Dirs: registrytls.Dirs(), Insecure: o.insecure}
	transport.Wait = func(ctx context.Context, d time.Duration, why string) error {
		if o.progress != nil && o.progressMode != string(progressui.QuietMode) && o.progressMode != string(progressui.RawJSONMode) {
			fmt.Fprintln(o.progress, why)
		}
		return patient.Sleep(ctx, d, why)
	}
	return image.Genuine(transport)
}
