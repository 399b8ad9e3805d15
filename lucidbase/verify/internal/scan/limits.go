package scan

import (
	"fmt"
	"io"
)

// limits are what a layer may not exceed. Real ones stay far below.
type limits struct {
	// size is that of the tar, and of all files in it, in bytes: a sparse file's
	// content is larger than the tar.
	size int64
	// free is what a layer may have without a look at the ratio; beyond it, no more
	// than ratio times its compressed size.
	free, ratio int64
	entries     int
	// path is the longest name or link, in bytes: Linux' PATH_MAX. depth is how many
	// directories may be in a name.
	path, depth int
	// trailing is what may follow the tar's end, in bytes; tar pads to a block of
	// 10 KiB.
	trailing int64
	// memory is the largest ELF file that is kept in memory.
	memory int
	// text, metadata, record and database are the sizes of files that are kept to
	// be parsed.
	text, metadata, record, database int
	// recordLines is that of all RECORD files together, modules the bytes of memory that
	// all Modules take.
	recordLines, modules int
}

var realLimits = limits{
	size: 64 << 30, free: 2 << 30, ratio: 200,
	entries: 1_000_000, path: 4096, depth: 256, trailing: 16 << 20, memory: 8 << 20,
	text: 64 << 10, metadata: 4 << 20, record: 64 << 20, database: 64 << 20, recordLines: 1_000_000, modules: 64 << 20,
}

// budget is a reader that ends with an error where a layer is too large.
type budget struct {
	r      io.Reader
	limits limits
	// blob returns the compressed size. It is asked only when needed: for a layer
	// that is not kept compressed, ggcr compresses it to know.
	blob func() (int64, error)
	// max is limits.size, or less once the ratio counts.
	max            int64
	read, contents int64
}

// Read implements io.Reader.
func (b *budget) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	b.read += int64(n)
	if err == nil || err == io.EOF {
		if over := b.check(b.read); over != nil {
			return n, over
		}
	}
	return n, err
}

// content takes a file's size off the budget before it is read.
func (b *budget) content(size int64) error {
	if size > b.limits.size {
		return b.over(b.limits.size)
	}
	b.contents += size
	return b.check(b.contents)
}

func (b *budget) check(n int64) error {
	if n <= b.limits.free {
		return nil
	}
	if b.max == 0 {
		b.max = b.limits.size
		if size, err := b.blob(); err == nil && size > 0 && size < b.max/b.limits.ratio {
			b.max = max(b.limits.free, size*b.limits.ratio)
		}
	}
	if n > b.max {
		return b.over(b.max)
	}
	return nil
}

func (b *budget) over(limit int64) error {
	return fmt.Errorf("decompresses to more than %d bytes", limit)
}
