// Package certs reads the certificates with which a client and a daemon know each other,
// from the files that Docker, BuildKit and Kubernetes call ca.pem, cert.pem and key.pem.
package certs

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Error says that the certificates in a directory cannot be used.
type Error struct {
	Dir string
	Err error
}

// Error names the directory.
func (e *Error) Error() string {
	return fmt.Sprintf("reading the certificates in %s: %v", e.Dir, e.Err)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Read reads a directory. Without ca.pem, the system's authorities are trusted; without
// cert.pem and key.pem, the client shows no certificate. An error is an *Error.
func Read(_ context.Context, dir string) (*tls.Config, error) {
	read := func(name string) ([]byte, error) {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		return data, err
	}
	ca, errCA := read("ca.pem")
	cert, errCert := read("cert.pem")
	key, errKey := read("key.pem")
	err := errors.Join(errCA, errCert, errKey)
	if err == nil && ca == nil && cert == nil && key == nil {
		err = errors.New("no ca.pem, cert.pem or key.pem in it")
	}
	var config *tls.Config
	if err == nil {
		config, err = New(ca, cert, key)
	}
	if err != nil {
		return nil, &Error{dir, err}
	}
	return config, nil
}

// New is Read of the files' contents, each of which may be missing.
func New(ca, cert, key []byte) (*tls.Config, error) {
	c := &tls.Config{}
	if ca != nil {
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(ca) {
			return nil, errors.New("ca.pem: no certificate in it")
		}
	}
	if cert != nil || key != nil {
		pair, err := tls.X509KeyPair(cert, key)
		if err != nil {
			return nil, fmt.Errorf("cert.pem and key.pem: %w", err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}
