package lock

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
)

// Tools is the lock of what a build runs and no image holds.
type Tools struct {
	UV Tool `toml:"uv"`
}

// Tool is a program that is published as a wheel for each build platform.
type Tool struct {
	Version string `toml:"version"`
	// SHA256 maps a build platform ("linux/amd64") to its wheel's hash, 64
	// hexadecimal digits.
	SHA256 map[string]string `toml:"sha256"`
}

var pythonVersion = regexp.MustCompile(`^[0-9]+(\.[0-9]+)*[A-Za-z0-9.+!-]*$`)

// ParseTools reads a lock that Tools.Format wrote. name is what errors call the
// file.
func ParseTools(name string, data []byte) (Tools, error) {
	var t Tools
	if err := decodeTOML(name, data, &t); err != nil {
		return Tools{}, err
	}
	r := &reporter{name: name}
	if !pythonVersion.MatchString(t.UV.Version) {
		r.bad(lineOfKey(data, "version"), "uv: version %q is not a version", t.UV.Version)
	}
	if len(t.UV.SHA256) == 0 {
		r.bad(lineOfKey(data, "sha256"), "uv: no wheel")
	}
	for _, platform := range slices.Sorted(maps.Keys(t.UV.SHA256)) {
		if hash := t.UV.SHA256[platform]; !hexSHA256.MatchString(hash) {
			r.bad(lineOfKey(data, platform), "uv: %s: sha256 %q is not 64 hexadecimal digits", platform, hash)
		}
	}
	if err := errors.Join(r.errs...); err != nil {
		return Tools{}, err
	}
	return t, nil
}

// Format gives the lock's committed form; equal locks give equal bytes.
func (t Tools) Format() []byte { return encodeTOML(t) }

// Requirements gives the tool named uv for a build platform, as pip reads it.
func (t Tools) Requirements(platform string) (Requirements, error) {
	hash, ok := t.UV.SHA256[platform]
	if !ok {
		return nil, fmt.Errorf("uv %s: no wheel locked for build platform %s", t.UV.Version, platform)
	}
	return Requirements{{Name: "uv", Version: t.UV.Version, Hashes: []string{"sha256:" + hash}}}, nil
}

func decodeTOML(name string, data []byte, v any) error {
	md, err := toml.Decode(string(data), v)
	if err != nil {
		return tomlError(name, data, err)
	}
	r := &reporter{name: name}
	for _, key := range md.Undecoded() {
		r.bad(lineOfKey(data, key[len(key)-1]), "unknown key %s", key)
	}
	return errors.Join(r.errs...)
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
		line = fmt.Sprint(lineOfKey(data, strings.Trim(last, `\"`)))
	}
	return fmt.Errorf("parsing %s: line %s: %s: %s", name, line, key, m[3])
}

func encodeTOML(v any) []byte {
	var b bytes.Buffer
	enc := toml.NewEncoder(&b)
	enc.Indent = ""
	if err := enc.Encode(v); err != nil {
		panic(err) // plain strings and maps always encode
	}
	return b.Bytes()
}
