package lines

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/BurntSushi/toml"
)

// DecodeTOML reads a file into v; each error names the line. An unknown key is one.
func DecodeTOML(name string, data []byte, v any) error {
	md, err := toml.Decode(string(data), v)
	if err != nil {
		return tomlError(name, data, err)
	}
	r := &Report{Name: name}
	for _, key := range md.Undecoded() {
		r.Bad(OfKey(data, key[len(key)-1]), "unknown key %s", key)
	}
	return r.Err()
}

// tomlType is how the decoder reports a value of a wrong type: at times without
// its line.
var tomlType = regexp.MustCompile(`(?s)^toml: (?:line ([0-9]+) )?\(last key "(.*?)"\): (.*)$`)

func tomlError(name string, data []byte, err error) error {
	var syntax toml.ParseError
	if errors.As(err, &syntax) {
		return fmt.Errorf("parsing %s: line %d: %s", name, syntax.Position.Line, syntax.Message)
	}
	m := tomlType.FindStringSubmatch(err.Error())
	if m == nil {
		return fmt.Errorf("parsing %s: line 1: %w", name, err)
	}
	line, key := m[1], m[2]
	if line == "" {
		last := key[strings.LastIndexByte(key, '.')+1:]
		line = fmt.Sprint(OfKey(data, strings.Trim(last, `\"`)))
	}
	return fmt.Errorf("parsing %s: line %s: %s: %s", name, line, key, m[3])
}
