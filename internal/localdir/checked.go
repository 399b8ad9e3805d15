package localdir

import (
	"bytes"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
)

// checked is a file whose content must be what it was.
type checked struct {
	fs.File
	name string
	hash hash.Hash
	want [32]byte
}

func (c *checked) Read(p []byte) (int, error) {
	n, err := c.File.Read(p)
	c.hash.Write(p[:n])
	if errors.Is(err, io.EOF) && !bytes.Equal(c.hash.Sum(nil), c.want[:]) {
		return n, fmt.Errorf("%s: changed while it was read", c.name)
	}
	return n, err
}

// failed is a file that cannot be read.
type failed struct{ err error }

func (f failed) Read([]byte) (int, error) { return 0, f.err }

func (f failed) Close() error { return nil }
