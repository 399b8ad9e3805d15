package lock

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/lucid-project/base-images/internal/lines"
)

// checked is a lock that reports what is wrong with its values, each by its place.
type checked interface {
	check(bad reportFunc)
}

// parseJSON reads a lock that formatJSON wrote. Each error names the file and the line.
func parseJSON[T checked](name string, data []byte) (T, error) {
	var none, l T
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&l); err != nil {
		return none, fmt.Errorf("parsing %s: line %d: %w", name, lines.At(data, jsonOffset(data, err, dec)), err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return none, fmt.Errorf("parsing %s: line %d: text after the lock's end", name, lines.At(data, dec.InputOffset()))
	}
	r := &lines.Report{Name: name}
	l.check(func(at, format string, args ...any) { r.Bad(lines.OfValue(data, at), format, args...) })
	if err := r.Err(); err != nil {
		return none, err
	}
	return l, nil
}

// formatJSON returns a lock's committed form.
func formatJSON(l checked) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	if err := enc.Encode(l); err != nil {
		panic(err) // strings, numbers and times always encode
	}
	return b.Bytes()
}
