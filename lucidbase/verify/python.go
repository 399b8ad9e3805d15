package verify

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// parseMetadata reads a distribution's core metadata: headers as in a mail, up to
// the first empty line.
// https://packaging.python.org/en/latest/specifications/core-metadata/
//
// What could be read is returned with an error too.
func parseMetadata(data []byte) (*Distribution, error) {
	d := &Distribution{}
	for h := range headers(data) {
		switch h.key {
		case "name":
			d.Name = h.value
		case "version":
			d.Version = h.value
		case "requires-dist":
			d.Requires = append(d.Requires, h.value)
		case "requires-python":
			d.Python = h.value
		}
	}
	switch {
	case d.Name == "":
		return d, errors.New("no Name")
	case d.Version == "":
		return d, errors.New("no Version")
	}
	return d, nil
}

// parseWheel reads the tags of a WHEEL file, such as "cp311-cp311-musllinux_1_2_x86_64".
// https://packaging.python.org/en/latest/specifications/binary-distribution-format/
func parseWheel(data []byte) (tags []string) {
	for h := range headers(data) {
		if h.key == "tag" {
			tags = append(tags, h.value)
		}
	}
	return tags
}

type header struct{ key, value string }

// headers gives the headers of a mail, keys in lower case, folded lines joined by
// a space, until the empty line that ends them.
func headers(data []byte) func(func(header) bool) {
	return func(yield func(header) bool) {
		var h header
		for line := range bytes.Lines(data) {
			line = bytes.TrimRight(line, "\r\n")
			if len(line) == 0 {
				break
			}
			if line[0] == ' ' || line[0] == '\t' {
				h.value += " " + strings.TrimSpace(valid(string(line)))
				continue
			}
			if h.key != "" && !yield(h) {
				return
			}
			key, value, _ := strings.Cut(valid(string(line)), ":")
			h = header{strings.ToLower(strings.TrimSpace(key)), strings.TrimSpace(value)}
		}
		if h.key != "" {
			yield(h)
		}
	}
}

// bytecode reads the 16 bytes that a .pyc starts with (PEP 552); problem says what
// is wrong with them.
func bytecode(head []byte) (b *Bytecode, problem string) {
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
