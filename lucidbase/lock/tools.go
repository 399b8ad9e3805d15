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
	// Zig is the compiler of source distributions, the project ziglang. A lock
	// without sources needs none.
	Zig Tool `toml:"ziglang"`
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
	t.UV.check("uv", data, r)
	if !t.Zig.isZero() {
		t.Zig.check("ziglang", data, r)
	}
	if err := errors.Join(r.errs...); err != nil {
		return Tools{}, err
	}
	return t, nil
}

func (t Tool) isZero() bool { return t.Version == "" && len(t.SHA256) == 0 }

func (t Tool) check(name string, data []byte, r *reporter) {
	// The decoder does not tell lines: look from the tool's own table on.
	from := max(0, bytes.Index(data, []byte("["+name+"]")))
	line := func(key string) int { return lineOf(data, int64(from)) - 1 + lineOfKey(data[from:], key) }
	if !pythonVersion.MatchString(t.Version) {
		r.bad(line("version"), "%s: version %q is not a version", name, t.Version)
	}
	if len(t.SHA256) == 0 {
		r.bad(line("sha256"), "%s: no wheel", name)
	}
	for _, platform := range slices.Sorted(maps.Keys(t.SHA256)) {
		if hash := t.SHA256[platform]; !hexSHA256.MatchString(hash) {
			r.bad(line(platform), "%s: %s: sha256 %q is not 64 hexadecimal digits", name, platform, hash)
		}
	}
}

// Format gives the lock's committed form; equal locks give equal bytes.
func (t Tools) Format() []byte {
	if t.Zig.isZero() {
		return encodeTOML(struct {
			UV Tool `toml:"uv"`
		}{t.UV})
	}
	return encodeTOML(t)
}

// Requirements gives the tool named uv for a build platform, as pip reads it.
func (t Tools) Requirements(platform string) (Requirements, error) {
	return t.UV.requirements("uv", platform)
}

// Compiler gives the compiler for a build platform, as pip reads it.
func (t Tools) Compiler(platform string) (Requirements, error) {
	if t.Zig.isZero() {
		return nil, fmt.Errorf("ziglang: not in %s, and a source has to be compiled", ToolsFile)
	}
	return t.Zig.requirements("ziglang", platform)
}

func (t Tool) requirements(name, platform string) (Requirements, error) {
	hash, ok := t.SHA256[platform]
	if !ok {
		return nil, fmt.Errorf("%s %s: no wheel locked for build platform %s", name, t.Version, platform)
	}
	return Requirements{{Name: name, Version: t.Version, Hashes: []string{"sha256:" + hash}}}, nil
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
