package v1image

import (
	"bufio"
	"bytes"
	"errors"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// maxWindow is what a zstd frame may ask a reader to remember: the limit of
// zstd's own command (--ultra aside).
const maxWindow = 128 << 20

// What Compression returns.
const (
	Gzip = "gzip"
	Zstd = "zstd"
)

// Compression returns what a file with these first four bytes is; empty for neither.
func Compression(head []byte) string {
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}): // RFC 1952
		return Gzip
	case bytes.HasPrefix(head, []byte{0x28, 0xb5, 0x2f, 0xfd}): // RFC 8878
		return Zstd
	}
	return ""
}

// Decompress reads what is gzip or zstd by its first bytes, and anything else as
// it is. Closing closes r.
func Decompress(r io.ReadCloser) (io.ReadCloser, error) {
	buffered := bufio.NewReaderSize(r, 64<<10)
	head, err := buffered.Peek(4)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, errors.Join(err, r.Close())
	}
	switch Compression(head) {
	case Gzip:
		z, err := gzip.NewReader(buffered)
		if err != nil {
			return nil, errors.Join(err, r.Close())
		}
		return &decompressed{Reader: z, source: r}, nil
	case Zstd:
		z, err := zstd.NewReader(buffered, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, errors.Join(err, r.Close())
		}
		return &decompressed{Reader: z, source: r, free: z.Close}, nil
	}
	return &decompressed{Reader: buffered, source: r}, nil
}

type decompressed struct {
	io.Reader
	source io.Closer
	free   func()
}

func (d *decompressed) Close() error {
	if d.free != nil {
		d.free()
	}
	return d.source.Close()
}
