package rootfs

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"path"
	"strings"
)

const (
	certsDir  = "usr/share/ca-certificates/mozilla/"
	statusDir = "var/lib/dpkg/status.d/"
	// bundlePath is where update-ca-certificates writes its bundle, and
	// defaultCertsPath where Debian's OpenSSL looks when SSL_CERT_FILE is not set.
	bundlePath       = "etc/ssl/certs/ca-certificates.crt"
	defaultCertsPath = "usr/lib/ssl/cert.pem"
)

// bundle gives the certificate authorities as one file, as
// update-ca-certificates does, and the link that OpenSSL follows to it.
func (t tree) bundle() ([]*entry, error) {
	var b bytes.Buffer
	for _, name := range t.names() {
		e := t[name]
		if !strings.HasPrefix(name, certsDir) || path.Ext(name) != ".crt" || e.kind != tar.TypeReg {
			continue
		}
		if _, err := io.Copy(&b, e.content.reader()); err != nil {
			return nil, fmt.Errorf("package %s: entry %s: %w", e.from, name, err)
		}
		if !bytes.HasSuffix(b.Bytes(), []byte("\n")) {
			b.WriteByte('\n')
		}
	}
	if b.Len() == 0 {
		return nil, nil
	}
	link := &entry{name: defaultCertsPath, from: us, kind: tar.TypeSymlink, mode: 0o777, target: "/" + bundlePath}
	return []*entry{file(bundlePath, b.String()), link}, nil
}

// status gives the files from which scanners know that a package is installed:
// its stanza, and the sums of those of its files that are in the tree.
func (t tree) status(d debFile) []*entry {
	out := []*entry{file(statusDir+d.name, strings.TrimRight(string(d.control), "\n")+"\n")}
	var sums strings.Builder
	for line := range strings.Lines(string(d.md5sums)) {
		_, name, ok := strings.Cut(strings.TrimRight(line, "\n"), "  ")
		if e := t[reroot(path.Clean(name))]; ok && e != nil && e.kind == tar.TypeReg {
			sums.WriteString(strings.TrimRight(line, "\n") + "\n")
		}
	}
	if sums.Len() > 0 {
		out = append(out, file(statusDir+d.name+".md5sums", sums.String()))
	}
	return out
}
