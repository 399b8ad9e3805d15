package lock

import (
	"bytes"
	"fmt"
	"maps"
	"regexp"
	"slices"

	"github.com/BurntSushi/toml"

	"github.com/lucid-project/base-images/internal/lines"
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
	if err := lines.DecodeTOML(name, data, &t); err != nil {
		return Tools{}, err
	}
	r := &lines.Report{Name: name}
	t.UV.check("uv", data, r)
	if !t.Zig.isZero() {
		t.Zig.check("ziglang", data, r)
	}
	if err := r.Err(); err != nil {
		return Tools{}, err
	}
	return t, nil
}

func (t Tool) isZero() bool { return t.Version == "" && len(t.SHA256) == 0 }

func (t Tool) check(name string, data []byte, r *lines.Report) {
	// The decoder does not say on which line a key is: look from the tool's own table on.
	from := max(0, bytes.Index(data, []byte("["+name+"]")))
	line := func(key string) int { return lines.At(data, int64(from)) - 1 + lines.OfKey(data[from:], key) }
	if !pythonVersion.MatchString(t.Version) {
		r.Bad(line("version"), "%s: version %q is not a version", name, t.Version)
	}
	if len(t.SHA256) == 0 {
		r.Bad(line("sha256"), "%s: no wheel", name)
	}
	for _, platform := range slices.Sorted(maps.Keys(t.SHA256)) {
		if hash := t.SHA256[platform]; !isSHA256(hash) {
			r.Bad(line(platform), "%s: %s: sha256 %q is not 64 hexadecimal digits", name, platform, hash)
		}
	}
}

// Format returns the lock's committed form; equal locks have equal bytes.
func (t Tools) Format() []byte {
	if t.Zig.isZero() {
		return encodeTOML(struct {
			UV Tool `toml:"uv"`
		}{t.UV})
	}
	return encodeTOML(t)
}

// Requirements returns the tool named uv for a build platform, as pip reads it.
func (t Tools) Requirements(platform string) (Requirements, error) {
	return t.UV.requirements("uv", platform)
}

// Compiler returns the compiler for a build platform, as pip reads it.
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

func encodeTOML(v any) []byte {
	var b bytes.Buffer
	enc := toml.NewEncoder(&b)
	enc.Indent = ""
	if err := enc.Encode(v); err != nil {
		panic(err) // plain strings and maps always encode
	}
	return b.Bytes()
}
