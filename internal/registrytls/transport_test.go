package registrytls

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// issuer is a certificate that signs, itself at first.
type issuer struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// issue makes a certificate; a nil issuer makes an authority.
func (i *issuer) issue(t *testing.T, template x509.Certificate) *issuer {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template.SerialNumber = big.NewInt(time.Now().UnixNano())
	if template.NotBefore.IsZero() {
		template.NotBefore = time.Now().Add(-time.Hour)
	}
	template.NotAfter = template.NotBefore.Add(24 * time.Hour)
	made := &issuer{key: key}
	by := i
	if by == nil {
		template.IsCA, template.BasicConstraintsValid, template.KeyUsage = true, true, x509.KeyUsageCertSign
		by = &issuer{&template, key}
	}
	der, err := x509.CreateCertificate(rand.Reader, &template, by.cert, &key.PublicKey, by.key)
	require.NoError(t, err)
	made.cert, err = x509.ParseCertificate(der)
	require.NoError(t, err)
	return made
}

func (i *issuer) pair() tls.Certificate {
	return tls.Certificate{Certificate: [][]byte{i.cert.Raw}, PrivateKey: i.key}
}

// write writes NAME.EXT and, if key is not empty, the key.
func (i *issuer) write(t *testing.T, cert, key string) {
	require.NoError(t, os.MkdirAll(filepath.Dir(cert), 0o700))
	require.NoError(t, os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: i.cert.Raw}), 0o600))
	if key == "" {
		return
	}
	der, err := x509.MarshalPKCS8PrivateKey(i.key)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600))
}

func loopback(names ...string) x509.Certificate {
	return x509.Certificate{Subject: pkix.Name{CommonName: "registry"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: names}
}

// serve starts a registry with TLS, which wants clients that authority has signed, if
// there is one.
func serve(t *testing.T, cert, authority *issuer) (host string) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		_, _ = io.Copy(w, req.Body)
		if certs := req.TLS.PeerCertificates; len(certs) > 0 {
			_, _ = io.WriteString(w, "hello "+certs[0].Subject.CommonName)
		}
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{cert.pair()}}
	if authority != nil {
		server.TLS.ClientAuth, server.TLS.ClientCAs = tls.RequireAndVerifyClientCert, x509.NewCertPool()
		server.TLS.ClientCAs.AddCert(authority.cert)
	}
	server.StartTLS()
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "https://")
}

func newTransport(dirs ...string) *Transport {
	return &Transport{Base: http.DefaultTransport.(*http.Transport).Clone(), Dirs: dirs}
}

func get(t *testing.T, tr *Transport, url string) (string, error) {
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	resp, err := tr.RoundTrip(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return string(body), nil
}

func TestAuthority(t *testing.T) {
	authority := (*issuer)(nil).issue(t, x509.Certificate{Subject: pkix.Name{CommonName: "company"}})
	host, other := serve(t, authority.issue(t, loopback()), nil), serve(t, authority.issue(t, loopback()), nil)
	user, machine := t.TempDir(), t.TempDir()
	authority.write(t, filepath.Join(machine, host, "ca.crt"), "")
	tr := newTransport(user, machine)
	_, err := get(t, tr, "https://"+host+"/v2/")
	require.NoError(t, err)
	_, err = get(t, tr, "https://"+other+"/v2/")
	require.ErrorAs(t, err, new(x509.UnknownAuthorityError), "it is trusted for that registry alone")

	require.NoError(t, os.MkdirAll(filepath.Join(user, host), 0o700))
	_, err = get(t, newTransport(user, machine), "https://"+host+"/v2/")
	require.ErrorAs(t, err, new(x509.UnknownAuthorityError), "the user's own directory counts first, and alone")
}

func TestClient(t *testing.T) {
	authority := (*issuer)(nil).issue(t, x509.Certificate{})
	client := authority.issue(t, x509.Certificate{Subject: pkix.Name{CommonName: "ann"}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	host := serve(t, authority.issue(t, loopback()), authority)
	dir := t.TempDir()
	authority.write(t, filepath.Join(dir, host, "ca.crt"), "")
	_, err := get(t, newTransport(dir), "https://"+host+"/v2/")
	require.ErrorContains(t, err, "certificate required")
	client.write(t, filepath.Join(dir, host, "client.cert"), filepath.Join(dir, host, "client.key"))
	body, err := get(t, newTransport(dir), "https://"+host+"/v2/")
	require.NoError(t, err)
	require.Equal(t, "hello ann", body)
}

func TestCertificatesThatCannotBeRead(t *testing.T) {
	one := (*issuer)(nil).issue(t, x509.Certificate{})
	for name, c := range map[string]struct {
		write func(dir string)
		want  string
	}{
		"no certificate": {func(dir string) { require.NoError(t, os.WriteFile(filepath.Join(dir, "ca.crt"), []byte("x"), 0o600)) }, "ca.crt: no certificate in it"},
		"no key":         {func(dir string) { one.write(t, filepath.Join(dir, "client.cert"), "") }, "client.cert: there is no client.key for it"},
		"no pair": {func(dir string) {
			one.write(t, filepath.Join(dir, "client.cert"), filepath.Join(dir, "client.key"))
			require.NoError(t, os.Remove(filepath.Join(dir, "client.cert")))
		}, "client.key: there is no client.cert for it"},
		"another key": {func(dir string) {
			one.write(t, filepath.Join(dir, "client.cert"), filepath.Join(dir, "client.key"))
			(*issuer)(nil).issue(t, x509.Certificate{}).write(t, filepath.Join(dir, "client.cert"), "")
		}, "client.cert: tls: private key does not match public key"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			require.NoError(t, os.MkdirAll(filepath.Join(dir, "r.example:5000"), 0o700))
			c.write(filepath.Join(dir, "r.example:5000"))
			_, err := get(t, newTransport(dir), "https://r.example:5000/v2/")
			require.ErrorContains(t, err, "reading the certificates for r.example:5000: ")
			require.ErrorContains(t, err, c.want)
			require.ErrorAs(t, err, new(*Error))
		})
	}
}

func TestInsecure(t *testing.T) {
	host := serve(t, (*issuer)(nil).issue(t, loopback()), nil)
	plain := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		_, _ = io.Copy(w, req.Body)
	}))
	t.Cleanup(plain.Close)
	plainHost := strings.TrimPrefix(plain.URL, "http://")
	tr := newTransport()
	for _, h := range []string{host, plainHost} {
		_, err := get(t, tr, "https://"+h+"/v2/")
		require.Error(t, err, h)
	}
	tr = newTransport()
	tr.Insecure = []string{host, plainHost}
	for _, h := range []string{host, plainHost} {
		_, err := get(t, tr, "https://"+h+"/v2/")
		require.NoError(t, err, h)
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, "https://"+h+"/v2/", strings.NewReader("body"))
		require.NoError(t, err)
		resp, err := tr.RoundTrip(req)
		require.NoError(t, err)
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, "body", string(body))
	}
	tr.CloseIdleConnections()
	_, err := get(t, tr, "https://127.0.0.1:1/v2/")
	require.Error(t, err)
}

func TestCheckName(t *testing.T) {
	for _, good := range []string{"r.example", "r.example:5000", "localhost:5000", "10.0.0.1:5000", "[::1]:5000"} {
		require.NoError(t, CheckName(good), good)
	}
	for _, bad := range []string{"", ":5000", "https://r.example", "r.example/lucid", "r.example:", "user@r.example"} {
		require.Error(t, CheckName(bad), bad)
	}
}
