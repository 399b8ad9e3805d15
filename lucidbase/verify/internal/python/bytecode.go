package python

import (
	"encoding/hex"
	"fmt"
)

// Bytecode is the header of a .pyc (PEP 552).
type Bytecode struct {
	// Magic is the interpreter's number: 3495 for CPython 3.11.
	Magic int
	// Hash is the source's for a hash-based file, 16 hexadecimal digits; else empty.
	Hash string
	// MTime and Size are the source's otherwise.
	MTime int64
	Size  int64
}

// ParseBytecode reads the 16 bytes that a .pyc starts with (PEP 552); problem says what
// is wrong with them.
func ParseBytecode(head []byte) (b *Bytecode, problem string) {
	if len(head) < 16 {
		return nil, fmt.Sprintf("bytecode: %d bytes, its header has 16", len(head))
	}
	le := func(i int) int64 {
		return int64(head[i]) | int64(head[i+1])<<8 | int64(head[i+2])<<16 | int64(head[i+3])<<24
	}
	if head[2] != '\r' || head[3] != '\n' {
		return nil, "bytecode: no magic number"
	}
	b = &Bytecode{Magic: int(head[0]) | int(head[1])<<8}
	if b.Magic < 3390 || b.Magic > 20000 {
		return b, "" // before CPython 3.7, whose header is another one
	}
	switch flags := le(4); flags {
	case 0:
		b.MTime, b.Size = le(8), le(12)
	case 1, 3: // unchecked, checked
		b.Hash = hex.EncodeToString(head[8:16])
	default:
		return b, fmt.Sprintf("bytecode: flags %#x", flags)
	}
	return b, ""
}
