package rootfs

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"
)

// spool keeps the content of unpacked files until the layer is written. It is a
// file and not memory: packages are unpacked at once and written in order.
type spool struct {
	file *os.File
	end  atomic.Int64
}

func newSpool(_ context.Context, dir string) (*spool, error) {
	err := os.MkdirAll(dir, 0o755)
	if err == nil {
		var f *os.File
		if f, err = os.CreateTemp(dir, "unpack-*"); err == nil {
			os.Remove(f.Name()) // where that works, nothing is left even after a crash
			return &spool{file: f}, nil
		}
	}
	return nil, fmt.Errorf("unpacking in cache directory %s: %w", dir, err)
}

func (s *spool) Close() error {
	err := s.file.Close()
	os.Remove(s.file.Name())
	return err
}

// add copies the next size bytes of r.
func (s *spool) add(r io.Reader, size int64) (*content, error) {
	start := s.end.Add(size) - size
	c := &content{data: s.file, start: start, size: size}
	h := sha256.New()
	head := &headWriter{}
	_, err := io.CopyN(io.MultiWriter(io.NewOffsetWriter(s.file, start), h, head), r, size)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	h.Sum(c.sum[:0])
	c.interpreter = interpreter(head.head)
	return c, err
}

// content is what a regular file holds. Hard links share one.
type content struct {
	data        io.ReaderAt
	start, size int64
	sum         [sha256.Size]byte
	interpreter string // the command after "#!"
}

func (c *content) reader() io.Reader { return io.NewSectionReader(c.data, c.start, c.size) }

// headWriter keeps the first line's worth of what is written to it; Linux reads
// no more of a script to find its interpreter.
type headWriter struct{ head []byte }

func (w *headWriter) Write(b []byte) (int, error) {
	w.head = append(w.head, b[:min(len(b), 255-len(w.head))]...)
	return len(b), nil
}
