package python

import (
	"bytes"
	"errors"
	"strings"

	"github.com/lucid-project/base-images/lucidbase/verify/internal/printable"
)

// Distribution is an installed Python distribution's core metadata.
type Distribution struct {
	// Name is as written; Version too.
	Name    string
	Version string
	// Requires are the Requires-Dist lines.
	Requires []string
	// Python is Requires-Python.
	Python string
}

// ParseMetadata reads a distribution's core metadata: headers as in a mail, up to
// the first empty line.
// https://packaging.python.org/en/latest/specifications/core-metadata/
//
// What could be read is returned with an error too.
func ParseMetadata(data []byte) (*Distribution, error) {
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

// ParseWheelTags reads the tags of a WHEEL file, such as "cp311-cp311-musllinux_1_2_x86_64".
// https://packaging.python.org/en/latest/specifications/binary-distribution-format/
func ParseWheelTags(data []byte) (tags []string) {
	for h := range headers(data) {
		if h.key == "tag" {
			tags = append(tags, h.value)
		}
	}
	return tags
}

type header struct{ key, value string }

// headers returns the headers of a mail, keys in lower case, folded lines joined by
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
				h.value += " " + strings.TrimSpace(printable.Valid(string(line)))
				continue
			}
			if h.key != "" && !yield(h) {
				return
			}
			key, value, _ := strings.Cut(printable.Valid(string(line)), ":")
			h = header{strings.ToLower(strings.TrimSpace(key)), strings.TrimSpace(value)}
		}
		if h.key != "" {
			yield(h)
		}
	}
}
