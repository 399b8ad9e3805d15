package registrytls

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// Error is a registry's certificates on this machine that cannot be used.
type Error struct {
	// Registry is HOST or HOST:PORT.
	Registry string
	Err      error
}

// Error names the registry and the file.
func (e *Error) Error() string {
	return fmt.Sprintf("reading the certificates for %s: %v", e.Registry, e.Err)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Dirs lists the directories of certificates, a user's own before the machine's: see
// https://docs.docker.com/engine/security/certificates/ and containers-certs.d(5).
func Dirs() []string {
	var all []string
	config, _ := os.UserConfigDir() // without one there is less to read
	if runtime.GOOS == "darwin" {
		config = os.Getenv("XDG_CONFIG_HOME")
	}
	home, err := os.UserHomeDir()
	if config == "" && err == nil {
		config = filepath.Join(home, ".config")
	}
	if config != "" {
		all = append(all, filepath.Join(config, "containers", "certs.d"), filepath.Join(config, "docker", "certs.d"))
	}
	if err == nil {
		all = append(all, filepath.Join(home, ".docker", "certs.d"))
	}
	return append(all, "/etc/containers/certs.d", "/etc/docker/certs.d")
}

// certificates are those for one registry.
type certificates struct {
	authorities [][]byte // PEM
	pairs       []tls.Certificate
}

// read reads the first directory that there is for a registry. It returns nil for none.
func read(dirs []string, registry string) (*certificates, error) {
	name := registry
	if name == "index.docker.io" {
		name = "docker.io"
	}
	if runtime.GOOS == "windows" {
		name = strings.ReplaceAll(name, ":", "") // as Docker does
	}
	for _, dir := range dirs {
		dir = filepath.Join(dir, name)
		entries, err := os.ReadDir(dir)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		var found *certificates
		if err == nil {
			found, err = readDir(dir, entries)
		}
		if err != nil {
			return nil, &Error{registry, err}
		}
		return found, nil
	}
	return nil, nil
}

// readDir reads the authorities, *.crt, and the client's pairs, *.cert and *.key.
func readDir(dir string, entries []fs.DirEntry) (*certificates, error) {
	var c certificates
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		base, kind := strings.TrimSuffix(path, filepath.Ext(path)), filepath.Ext(path)
		switch kind {
		case ".crt":
			data, err := os.ReadFile(path)
			if err != nil {
				return nil, err
			}
			if !x509.NewCertPool().AppendCertsFromPEM(data) {
				return nil, fmt.Errorf("%s: no certificate in it", path)
			}
			c.authorities = append(c.authorities, data)
		case ".cert":
			pair, err := tls.LoadX509KeyPair(path, base+".key")
			if errors.Is(err, fs.ErrNotExist) {
				return nil, fmt.Errorf("%s: there is no %s.key for it", path, filepath.Base(base))
			}
			if err != nil {
				return nil, fmt.Errorf("%s: %w", path, err)
			}
			c.pairs = append(c.pairs, pair)
		case ".key":
			if _, err := os.Stat(base + ".cert"); err != nil {
				return nil, fmt.Errorf("%s: there is no %s.cert for it; *.crt are authorities", path, filepath.Base(base))
			}
		}
	}
	return &c, nil
}

// addTo adds the authorities to those that config trusts, and the pairs.
func (c *certificates) addTo(config *tls.Config) error {
	config.Certificates = append(config.Certificates, c.pairs...)
	if len(c.authorities) == 0 {
		return nil
	}
	pool, err := x509.SystemCertPool()
	if config.RootCAs != nil {
		pool, err = config.RootCAs.Clone(), nil
	}
	if err != nil {
		return err
	}
	for _, pem := range c.authorities {
		pool.AppendCertsFromPEM(pem)
	}
	config.RootCAs = pool
	return nil
}
