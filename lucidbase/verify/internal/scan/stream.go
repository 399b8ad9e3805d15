package scan

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

const (
	// BlockSize is how much of a layer is read at once, in bytes.
	BlockSize = 256 << 10
	blocks    = 8
)

// stream reads a layer in a goroutine of its own, which decompresses, hashes it
// in a second, and is read in the caller's: on two CPUs, a layer then takes the
// time of its decompression.
type stream struct {
	ctx    context.Context
	cancel context.CancelFunc
	// free buffers go to the decompressor, full ones to the hash, hashed ones to
	// Read, and back.
	free, full, hashed chan block
	now                block
	rest               []byte
	hash               hash.Hash
	size               int64
}

// block is a buffer with n bytes; err came with them.
type block struct {
	data []byte
	n    int
	err  error
}

func newStream(ctx context.Context, content io.ReadCloser) *stream {
	ctx, cancel := context.WithCancel(ctx)
	s := &stream{
		ctx: ctx, cancel: cancel, hash: sha256.New(),
		free: make(chan block, blocks), full: make(chan block, blocks), hashed: make(chan block, blocks),
	}
	for range blocks {
		s.free <- block{}
	}
	go s.produce(content)
	go s.sumUp()
	return s
}

// stop ends both goroutines. It does not wait: a Read that hangs ends with the
// context that its layer was made with.
func (s *stream) stop() { s.cancel() }

func (s *stream) produce(content io.ReadCloser) {
	defer content.Close()
	for {
		b, ok := take(s.ctx, s.free)
		if !ok {
			return
		}
		if b.data == nil {
			b.data = make([]byte, BlockSize)
		}
		b.n, b.err = fill(content, b.data)
		if !put(s.ctx, s.full, b) || b.err != nil {
			return
		}
	}
}

// fill reads until a buffer is full. Unlike io.ReadFull it keeps the reader's own
// error: io.ErrUnexpectedEOF is what a truncated gzip ends with.
func fill(r io.Reader, p []byte) (n int, err error) {
	for empty := 0; n < len(p) && err == nil; {
		var m int
		if m, err = r.Read(p[n:]); m == 0 && err == nil {
			if empty++; empty > 100 {
				err = io.ErrNoProgress
			}
		}
		n += m
	}
	return n, err
}

func (s *stream) sumUp() {
	for {
		b, ok := take(s.ctx, s.full)
		if !ok {
			return
		}
		s.hash.Write(b.data[:b.n])
		s.size += int64(b.n)
		if !put(s.ctx, s.hashed, b) || b.err != nil {
			return
		}
	}
}

// Read implements io.Reader.
func (s *stream) Read(p []byte) (int, error) {
	for len(s.rest) == 0 {
		if s.now.err != nil {
			return 0, s.now.err
		}
		if s.now.data != nil {
			s.free <- s.now // there is room for each
		}
		var ok bool
		if s.now, ok = take(s.ctx, s.hashed); !ok {
			s.now = block{err: s.ctx.Err()}
		}
		s.rest = s.now.data[:s.now.n]
	}
	n := copy(p, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

// sum returns the digest and size of all that was read; only after Read's io.EOF.
func (s *stream) sum() (v1.Hash, int64) {
	return v1.Hash{Algorithm: "sha256", Hex: hex.EncodeToString(s.hash.Sum(nil))}, s.size
}

func take(ctx context.Context, c chan block) (block, bool) {
	select {
	case b := <-c:
		return b, ctx.Err() == nil
	case <-ctx.Done():
		return block{}, false
	}
}

func put(ctx context.Context, c chan block, b block) bool {
	select {
	case c <- b:
		return true
	case <-ctx.Done():
		return false
	}
}
