package rootfs

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"pault.ag/go/debian/control"
	"pault.ag/go/debian/deb"

	"github.com/lucid-project/base-images/lucidbase/lock"
)

// debFile is an unpacked package.
type debFile struct {
	name    string
	control []byte // the stanza that describes it
	md5sums []byte // as in the package, empty if it has none
	entries []*entry
}

// maxControl limits a file of the control archive.
const maxControl = 4 << 20

// readDeb unpacks a package file and checks that it is the one that is wanted.
// The files' content goes to s.
func readDeb(r io.ReaderAt, want lock.Package, architecture string, s *spool) (debFile, error) {
	d := debFile{name: want.Name}
	controlTar, dataTar, err := members(r)
	if err == nil {
		err = d.readControl(controlTar)
	}
	if err == nil {
		err = checkControl(d.control, want, architecture)
	}
	if err == nil {
		err = d.readData(dataTar, s)
	}
	if err != nil {
		return debFile{}, fmt.Errorf("unpacking %s %s: %w", want.Name, want.Version, err)
	}
	return d, nil
}

// members finds the two archives within a package (deb(5)).
func members(r io.ReaderAt) (controlTar, dataTar *deb.ArEntry, err error) {
	ar, err := deb.LoadAr(r)
	if err != nil {
		return nil, nil, fmt.Errorf("not a package file: %w", err)
	}
	for {
		m, err := ar.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, nil, fmt.Errorf("not a package file: %w", err)
		}
		if m.Size < 0 {
			return nil, nil, fmt.Errorf("not a package file: %s has size %d", m.Name, m.Size)
		}
		switch {
		case strings.HasPrefix(m.Name, "control.tar") && controlTar == nil:
			controlTar = m
		case strings.HasPrefix(m.Name, "data.tar") && dataTar == nil:
			dataTar = m
		}
	}
	switch {
	case controlTar == nil:
		return nil, nil, errors.New("no control.tar in it")
	case dataTar == nil:
		return nil, nil, errors.New("no data.tar in it")
	}
	return controlTar, dataTar, nil
}

// eachEntry reads an archive to its last byte, so that a damaged one is noticed.
func eachEntry(m *deb.ArEntry, visit func(h *tar.Header, content io.Reader) error) error {
	ext := path.Ext(m.Name)
	switch ext {
	case ".xz", ".gz", ".tar":
	default:
		return fmt.Errorf("%s: unknown compression %s", m.Name, ext)
	}
	plain, err := deb.DecompressorFor(ext)(m.Data)
	if err != nil {
		return fmt.Errorf("%s: %w", m.Name, err)
	}
	defer plain.Close()
	entries := tar.NewReader(plain)
	for {
		h, err := entries.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("%s: %w", m.Name, err)
		}
		if err := visit(h, entries); err != nil {
			return fmt.Errorf("%s: entry %s: %w", m.Name, h.Name, err)
		}
	}
	if _, err := io.Copy(io.Discard, plain); err != nil {
		return fmt.Errorf("%s: %w", m.Name, err)
	}
	return nil
}

func (d *debFile) readControl(m *deb.ArEntry) error {
	err := eachEntry(m, func(h *tar.Header, content io.Reader) (err error) {
		name := path.Clean(h.Name)
		if name != "control" && name != "md5sums" {
			return nil
		}
		if h.Size > maxControl {
			return fmt.Errorf("%d bytes are too many", h.Size)
		}
		data, err := io.ReadAll(content)
		if name == "control" {
			d.control = data
		} else {
			d.md5sums = data
		}
		return err
	})
	if err == nil && d.control == nil {
		err = fmt.Errorf("%s: no control file in it", m.Name)
	}
	return err
}

// checkControl compares what a package says of itself with what the lock says.
func checkControl(stanza []byte, want lock.Package, architecture string) error {
	reader, err := control.NewParagraphReader(strings.NewReader(string(stanza)), nil)
	if err != nil {
		return fmt.Errorf("control: %w", err)
	}
	p, err := reader.Next()
	if err != nil {
		return fmt.Errorf("control: %w", err)
	}
	arch := p.Values["Architecture"]
	switch {
	case p.Values["Package"] != want.Name:
		return fmt.Errorf("it is package %q", p.Values["Package"])
	case p.Values["Version"] != want.Version:
		return fmt.Errorf("it is version %q", p.Values["Version"])
	case arch != architecture && arch != "all":
		return fmt.Errorf("it is for architecture %q, not %s", arch, architecture)
	}
	return nil
}

func (d *debFile) readData(m *deb.ArEntry, s *spool) error {
	files := map[string]*entry{} // to find what hard links name
	return eachEntry(m, func(h *tar.Header, content io.Reader) error {
		e, err := newEntry(d.name, h)
		if err != nil || e == nil {
			return err
		}
		switch h.Typeflag {
		case tar.TypeReg:
			if e.content, err = s.add(content, h.Size); err != nil {
				return err
			}
		case tar.TypeLink:
			if err := e.linkTo(h.Linkname, files); err != nil {
				return err
			}
		}
		if e.kind == tar.TypeReg {
			files[e.name] = e
		}
		d.entries = append(d.entries, e)
		return nil
	})
}
