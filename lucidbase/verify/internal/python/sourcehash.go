package python

import (
	"encoding/binary"
	"encoding/hex"
	"math/bits"
)

// pythonKey is the key of CPython 3.11's source hashes: its magic number 3495
// with "\r\n" behind it, as a little-endian number (Python/pythonrun.c,
// _Py_KeyedHash; Lib/importlib/_bootstrap_external.py, _RAW_MAGIC_NUMBER).
const pythonKey = 3495 | '\r'<<16 | '\n'<<24

// SourceHash hashes a source as CPython does for hash-based bytecode (PEP 552):
// SipHash-1-3, as the content goes by.
type SourceHash struct {
	v    [4]uint64
	tail [8]byte
	n    int // bytes in tail
	size uint64
}

// NewSourceHash returns the hash of nothing yet.
func NewSourceHash() *SourceHash {
	return &SourceHash{v: [4]uint64{
		pythonKey ^ 0x736f6d6570736575, 0x646f72616e646f6d,
		pythonKey ^ 0x6c7967656e657261, 0x7465646279746573,
	}}
}

// Add takes the next piece of the source.
func (s *SourceHash) Add(p []byte) {
	s.size += uint64(len(p))
	if s.n > 0 {
		n := copy(s.tail[s.n:], p)
		p = p[n:]
		if s.n += n; s.n < 8 {
			return
		}
		s.word(binary.LittleEndian.Uint64(s.tail[:]))
	}
	for len(p) >= 8 {
		s.word(binary.LittleEndian.Uint64(p))
		p = p[8:]
	}
	s.n = copy(s.tail[:], p)
}

// Sum ends the source and returns its hash in 16 hexadecimal digits, as a .pyc has
// it.
func (s *SourceHash) Sum() string {
	clear(s.tail[s.n:])
	// The last word has the length in its highest byte.
	s.word(binary.LittleEndian.Uint64(s.tail[:]) | s.size<<56)
	s.v[2] ^= 0xff
	for range 3 {
		s.round()
	}
	sum := s.v[0] ^ s.v[1] ^ s.v[2] ^ s.v[3]
	return hex.EncodeToString(binary.LittleEndian.AppendUint64(nil, sum))
}

func (s *SourceHash) word(m uint64) {
	s.v[3] ^= m
	s.round()
	s.v[0] ^= m
}

func (s *SourceHash) round() {
	v0, v1, v2, v3 := s.v[0], s.v[1], s.v[2], s.v[3]
	v0 += v1
	v1 = bits.RotateLeft64(v1, 13) ^ v0
	v0 = bits.RotateLeft64(v0, 32)
	v2 += v3
	v3 = bits.RotateLeft64(v3, 16) ^ v2
	v0 += v3
	v3 = bits.RotateLeft64(v3, 21) ^ v0
	v2 += v1
	v1 = bits.RotateLeft64(v1, 17) ^ v2
	v2 = bits.RotateLeft64(v2, 32)
	s.v = [4]uint64{v0, v1, v2, v3}
}
