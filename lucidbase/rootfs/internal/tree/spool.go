package tree

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"

	"github.com/lucid-project/base-images/internal/atomicfile"
)

// Spool keeps the content of unpacked files until the layer is written. It is a
// file and not memory: packages are unpacked at once and written in order.
type Spool struct {
	file *os.File
	end  atomic.Int64
}

// NewSpool makes a file below dir, which is made too.
func NewSpool(_ context.Context, dir string) (*Spool, error) {
	err := os.MkdirAll(dir, 0o755)
	if err == nil {
		var f *os.File
		if f, err = os.CreateTemp(dir, atomicfile.Prefix+"*"); err == nil {
			os.Remove(f.Name()) // where that works, nothing is left even after a crash
			return &Spool{file: f}, nil
		}
	}
	return nil, fmt.Errorf("unpacking in cache directory %s: %w", dir, err)
}

// Close removes the file.
func (s *Spool) Close() error {
	err := s.file.Close()
	os.Remove(s.file.Name())
	return err
}

// Add copies the next size bytes of r.
func (s *Spool) Add(r io.Reader, size int64) (*Content, error) {
	start := s.end.Add(size) - size
	c := &Content{Data: s.file, Start: start, Size: size}
	h := sha256.New()
	head := &headWriter{}
	_, err := io.CopyN(io.MultiWriter(io.NewOffsetWriter(s.file, start), h, head), r, size)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	h.Sum(c.Sum[:0])
	c.interpreter = interpreter(head.head)
	return c, err
}

// Content is what a regular file holds. Hard links share one.
type Content struct {
	Data        io.ReaderAt
	Start, Size int64
	Sum         [sha256.Size]byte
	interpreter string // the command after "#!"
}

// Reader reads the file from its start.
func (c *Content) Reader() io.Reader { return io.NewSectionReader(c.Data, c.Start, c.Size) }

// Interpreter returns the program that a script names in its first line; "" for another
// file.
func (c *Content) Interpreter() string { return c.interpreter }

// headWriter keeps the first line's worth of what is written to it; Linux reads
// no more of a script to find its interpreter.
type headWriter struct{ head []byte }

func (w *headWriter) Write(b []byte) (int, error) {
	w.head = append(w.head, b[:min(len(b), 255-len(w.head))]...)
	return len(b), nil
}
