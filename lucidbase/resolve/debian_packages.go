package resolve

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"path"
	"strconv"
	"strings"

	"pault.ag/go/debian/control"
	"pault.ag/go/debian/dependency"
	"pault.ag/go/debian/version"

	"github.com/lucid-project/base-images/lucidbase/lock"
)

// maxStanza limits the description of one package.
const maxStanza = 4 << 20

// candidate is a package as an index describes it.
type candidate struct {
	lock.Package
	version  version.Version
	arch     string // of the index, not of the package: that may be "all"
	depends  []dependency.Relation
	provides []dependency.Possibility
	// conflicts are what it cannot be installed beside.
	conflicts []dependency.Possibility
}

// readPackages returns the stanzas of the listed packages. An index has 60000 of
// them in 50 MB, hence only those that are wanted are parsed.
func readPackages(index io.Reader, listed map[string]bool, arch string) ([]candidate, error) {
	var found []candidate
	stanzas := bufio.NewScanner(index)
	stanzas.Buffer(make([]byte, 256<<10), maxStanza)
	stanzas.Split(splitStanza)
	for stanzas.Scan() {
		name := stanzaName(stanzas.Bytes())
		if !listed[string(name)] {
			continue
		}
		c, err := readStanza(stanzas.Bytes(), arch)
		if err != nil {
			return nil, fmt.Errorf("package %s: %w", name, err)
		}
		found = append(found, c)
	}
	return found, stanzas.Err()
}

// splitStanza is a bufio.SplitFunc for what stands between empty lines.
func splitStanza(data []byte, atEOF bool) (int, []byte, error) {
	if i := bytes.Index(data, []byte("\n\n")); i >= 0 {
		return i + 2, data[:i+1], nil
	}
	if atEOF && len(data) > 0 {
		return len(data), data, nil
	}
	return 0, nil, nil
}

func stanzaName(stanza []byte) []byte {
	field := []byte("Package:")
	if !bytes.HasPrefix(stanza, field) {
		field = []byte("\nPackage:")
	}
	_, rest, _ := bytes.Cut(stanza, field)
	name, _, _ := bytes.Cut(rest, []byte("\n"))
	return bytes.TrimSpace(name)
}

func readStanza(stanza []byte, arch string) (candidate, error) {
	reader, err := control.NewParagraphReader(bytes.NewReader(stanza), nil)
	if err != nil {
		return candidate{}, err
	}
	p, err := reader.Next()
	if err != nil {
		return candidate{}, err
	}
	if a := p.Values["Architecture"]; a != arch && a != "all" {
		return candidate{}, fmt.Errorf("architecture %q in an index of %s", a, arch)
	}
	c := candidate{arch: arch, Package: lock.Package{
		Name:    p.Values["Package"],
		Version: p.Values["Version"],
		Path:    p.Values["Filename"],
		SHA256:  p.Values["SHA256"],
	}}
	if c.Size, err = strconv.ParseInt(p.Values["Size"], 10, 64); err != nil || c.Size <= 0 {
		return candidate{}, fmt.Errorf("size %q is not a number of bytes", p.Values["Size"])
	}
	if !isSHA256(c.SHA256) {
		return candidate{}, fmt.Errorf("sha256 %q is not 64 hexadecimal digits", c.SHA256)
	}
	if !strings.HasPrefix(c.Path, "pool/") || path.Clean(c.Path) != c.Path {
		return candidate{}, fmt.Errorf("file name %q is not below pool/", c.Path)
	}
	if c.version, err = version.Parse(c.Version); err != nil {
		return candidate{}, fmt.Errorf("version %q: %w", c.Version, err)
	}
	return c, c.readRelations(p)
}

func (c *candidate) readRelations(p *control.Paragraph) error {
	var errs []error
	for _, field := range []string{"Pre-Depends", "Depends"} {
		d, err := dependency.Parse(p.Values[field])
		if err != nil {
			errs = append(errs, fmt.Errorf("field %s: %w", field, err))
			continue
		}
		c.depends = append(c.depends, d.Relations...)
	}
	for _, field := range []string{"Provides", "Conflicts", "Breaks"} {
		d, err := dependency.Parse(p.Values[field])
		if err != nil {
			errs = append(errs, fmt.Errorf("field %s: %w", field, err))
			continue
		}
		if field == "Provides" {
			c.provides = d.GetAllPossibilities()
		} else {
			c.conflicts = append(c.conflicts, d.GetAllPossibilities()...)
		}
	}
	return errors.Join(errs...)
}

// newestOf returns the newest candidate of each name; of equal ones the first.
func newestOf(found []candidate) map[string]candidate {
	newest := map[string]candidate{}
	for _, c := range found {
		if have, ok := newest[c.Name]; !ok || version.Compare(c.version, have.version) > 0 {
			newest[c.Name] = c
		}
	}
	return newest
}
