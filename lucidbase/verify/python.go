package verify

import (
	"bytes"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// parseMetadata reads a distribution's core metadata: headers as in a mail, up to
// the first empty line.
// https://packaging.python.org/en/latest/specifications/core-metadata/
func parseMetadata(f *File, data []byte) error {
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
	f.Distribution = d
	switch {
	case d.Name == "":
		return errors.New("no Name")
	case d.Version == "":
		return errors.New("no Version")
	}
	return nil
}

// parseWheel reads the tags of a WHEEL file, such as "cp311-cp311-musllinux_1_2_x86_64".
// https://packaging.python.org/en/latest/specifications/binary-distribution-format/
func parseWheel(f *File, data []byte) error {
	for h := range headers(data) {
		if h.key == "tag" {
			f.WheelTags = append(f.WheelTags, h.value)
		}
	}
	return nil
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

// parseRecord reads a RECORD: CSV lines of path, hash and size.
// https://packaging.python.org/en/latest/specifications/recording-installed-packages/
func (s *scanner) parseRecord(f *File, data []byte) error {
	r := csv.NewReader(bytes.NewReader(data))
	r.FieldsPerRecord = -1
	r.LazyQuotes = true
	r.ReuseRecord = true
	for {
		fields, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if s.records++; s.records > s.limits.recordLines {
			f.Record = nil
			return fmt.Errorf("more than %d lines in all RECORD files", s.limits.recordLines)
		}
		e, err := recordEntry(fields)
		if err != nil {
			line, _ := r.FieldPos(0)
			return fmt.Errorf("line %d: %w", line, err)
		}
		f.Record = append(f.Record, e)
	}
}

func recordEntry(fields []string) (RecordEntry, error) {
	e := RecordEntry{Path: valid(fields[0]), Size: -1}
	if e.Path == "" {
		return e, errors.New("no path")
	}
	if len(fields) > 1 {
		e.Hash = valid(fields[1])
	}
	if len(fields) > 2 && fields[2] != "" {
		size, err := strconv.ParseInt(fields[2], 10, 64)
		if err != nil || size < 0 {
			return e, fmt.Errorf("%s: size %s", quote(e.Path), quote(fields[2]))
		}
		e.Size = size
	}
	return e, nil
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
