package tree

import (
	"archive/tar"
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"time"

	"github.com/lucid-project/base-images/lucidbase"
)

// Write returns the tree as a tar in which nothing depends on who makes it or
// when, and the tar's digest and size.
func (t Tree) Write(w io.Writer) (digest string, size int64, err error) {
	h := sha256.New()
	count := &counter{}
	buffer := bufio.NewWriterSize(io.MultiWriter(w, h, count), 1<<20)
	out := tar.NewWriter(buffer)
	names := map[*Content]string{} // the first name of each file; others are hard links to it
	for _, name := range t.Names() {
		if err := writeEntry(out, t[name], names); err != nil {
			return "", 0, fmt.Errorf("writing %s of package %s: %w", name, t[name].From, err)
		}
	}
	if err := out.Close(); err != nil {
		return "", 0, fmt.Errorf("writing the layer: %w", err)
	}
	if err := buffer.Flush(); err != nil {
		return "", 0, fmt.Errorf("writing the layer: %w", err)
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil)), count.n, nil
}

func writeEntry(out *tar.Writer, e *Entry, names map[*Content]string) error {
	h := &tar.Header{
		Name:     e.Name,
		Typeflag: e.Kind,
		Mode:     e.Mode,
		Uid:      e.UID,
		Gid:      e.GID,
		Linkname: e.Target,
		ModTime:  time.Unix(lucidbase.EpochSeconds, 0),
	}
	switch e.Kind {
	case tar.TypeDir:
		h.Name += "/"
	case tar.TypeReg:
		if first, ok := names[e.Content]; ok {
			h.Typeflag, h.Linkname = tar.TypeLink, first
			return out.WriteHeader(h)
		}
		names[e.Content] = e.Name
		h.Size = e.Content.Size
	}
	if err := out.WriteHeader(h); err != nil || e.Kind != tar.TypeReg {
		return err
	}
	_, err := io.Copy(out, e.Content.Reader())
	return err
}

type counter struct{ n int64 }

func (c *counter) Write(b []byte) (int, error) {
	c.n += int64(len(b))
	return len(b), nil
}
