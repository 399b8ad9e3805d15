package debian

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/lucid-project/base-images/lucidbase/rootfs/internal/tree"
)

const (
	certsDir = "usr/share/ca-certificates/mozilla/"
	// defaultCertsPath is where Debian's OpenSSL looks when SSL_CERT_FILE is not set.
	defaultCertsPath = "usr/lib/ssl/cert.pem"
)

// bundle returns the certificate authorities as one file, as
// update-ca-certificates does, and the link that OpenSSL follows to it.
func bundle(t tree.Tree) ([]*tree.Entry, error) {
	var b bytes.Buffer
	for _, name := range t.Names() {
		e := t[name]
		if !strings.HasPrefix(name, certsDir) || path.Ext(name) != ".crt" || e.Kind != tar.TypeReg {
			continue
		}
		if _, err := io.Copy(&b, e.Content.Reader()); err != nil {
			return nil, fmt.Errorf("package %s: entry %s: %w", e.From, name, err)
		}
		if !bytes.HasSuffix(b.Bytes(), []byte("\n")) {
			b.WriteByte('\n')
		}
	}
	if b.Len() == 0 {
		return nil, nil
	}
	link := &tree.Entry{Name: defaultCertsPath, From: tree.Us, Kind: tar.TypeSymlink, Mode: 0o777, Target: "/" + tree.BundlePath}
	return []*tree.Entry{tree.File(tree.BundlePath, b.String()), link}, nil
}
