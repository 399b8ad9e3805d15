// Package deb reads Debian's package files and says what of them an image has.
package deb

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
	"github.com/lucid-project/base-images/lucidbase/rootfs/internal/tree"
)

// File is an unpacked package.
type File struct {
	Name    string
	Control []byte // the stanza that describes it
	MD5Sums []byte // as in the package, empty if it has none
	Entries []*tree.Entry
}

// MaxControl limits a file of the control archive.
const MaxControl = 4 << 20

// Read unpacks a package file and checks that it is the one that is wanted.
func (u Unpacker) Read(r io.ReaderAt, want lock.Package) (File, error) {
	d := File{Name: want.Name}
	controlTar, dataTar, err := members(r)
	if err == nil {
		err = d.readControl(controlTar)
	}
	if err == nil {
		err = checkControl(d.Control, want, u.Architecture)
	}
	if err == nil {
		err = d.readData(dataTar, u)
	}
	if err != nil {
		return File{}, &tree.PackageError{Package: want.Name, Err: fmt.Errorf("unpacking %s %s: %w", want.Name, want.Version, err)}
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

func (d *File) readControl(m *deb.ArEntry) error {
	err := eachEntry(m, func(h *tar.Header, content io.Reader) (err error) {
		name := path.Clean(h.Name)
		if name != "control" && name != "md5sums" {
			return nil
		}
		if h.Size > MaxControl {
			return fmt.Errorf("%d bytes are too many", h.Size)
		}
		data, err := io.ReadAll(content)
		if name == "control" {
			d.Control = data
		} else {
			d.MD5Sums = data
		}
		return err
	})
	if err == nil && d.Control == nil {
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

func (d *File) readData(m *deb.ArEntry, u Unpacker) error {
	files := map[string]*tree.Entry{} // to find what hard links name
	return eachEntry(m, func(h *tar.Header, content io.Reader) error {
		if u.DropSetID {
			h.Mode &^= 0o6000
		}
		e, err := newEntry(d.Name, h)
		if err != nil || e == nil {
			return err
		}
		switch h.Typeflag {
		case tar.TypeReg:
			if e.Content, err = u.Spool.Add(content, h.Size); err != nil {
				return err
			}
		case tar.TypeLink:
			if err := linkTo(e, h.Linkname, files); err != nil {
				return err
			}
		}
		if e.Kind == tar.TypeReg {
			files[e.Name] = e
		}
		d.Entries = append(d.Entries, e)
		return nil
	})
}
