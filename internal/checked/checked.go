// Package checked reads content and compares it with the size and the digest that
// it should have.
package checked

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/opencontainers/go-digest"
)

// Unknown is a size that nobody knows.
const Unknown = -1

// Error is content of another size or digest than it should have. Where the size
// is wrong, no digest was made.
type Error struct {
	Size, WantSize int64
	Digest, Want   digest.Digest
	// more reports whether reading ended before the content did.
	more bool
}

// Error says what is different.
func (e *Error) Error() string {
	switch {
	case e.more:
		return fmt.Sprintf("its content is more than %d bytes", e.WantSize)
	case e.Digest == "":
		return fmt.Sprintf("its content is %d bytes, not %d", e.Size, e.WantSize)
	}
	return fmt.Sprintf("its content is %s, not %s", e.Digest, e.Want)
}

// Copy copies r to w, up to a byte more than size. Content that is not what it
// should be is an *Error; the caller drops what was written.
func Copy(w io.Writer, r io.Reader, want digest.Digest, size int64) error {
	if err := want.Validate(); err != nil {
		return err
	}
	if size != Unknown {
		r = io.LimitReader(r, size+1)
	}
	d := want.Algorithm().Digester()
	n, err := io.CopyBuffer(io.MultiWriter(w, d.Hash()), r, make([]byte, 256<<10))
	switch {
	case err != nil:
		return fmt.Errorf("after %d bytes: %w", n, err)
	case size != Unknown && n != size:
		return &Error{Size: n, WantSize: size, more: n > size}
	case d.Digest() != want:
		return &Error{Size: n, WantSize: n, Digest: d.Digest(), Want: want}
	}
	return nil
}

// Bytes compares data; the error is an *Error.
func Bytes(data []byte, want digest.Digest, size int64) error {
	if n := int64(len(data)); size != Unknown && n != size {
		return &Error{Size: n, WantSize: size}
	}
	return Copy(io.Discard, bytes.NewReader(data), want, size)
}

// File reads a file, until ctx ends, and compares it. A size that is wrong is
// found without reading.
func File(ctx context.Context, path string, want digest.Digest, size int64) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if size != Unknown && info.Size() != size {
		return &Error{Size: info.Size(), WantSize: size}
	}
	return Copy(io.Discard, Reader(ctx, f), want, size)
}

// Reader returns a reader that ends when its context does.
func Reader(ctx context.Context, r io.Reader) io.Reader { return reader{ctx, r} }

type reader struct {
	ctx context.Context
	r   io.Reader
}

// Read implements io.Reader.
func (r reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(p)
}

// Use checks a cache's file as File does, and marks it as used if it is as it should be.
func Use(ctx context.Context, path string, want digest.Digest, size int64) error {
	err := File(ctx, path, want, size)
	if err == nil {
		Touch(path)
	}
	return err
}

// Touch marks files as used now, so that they are not the first that a full cache drops.
func Touch(paths ...string) {
	now := time.Now()
	for _, path := range paths {
		_ = os.Chtimes(path, now, now)
	}
}
