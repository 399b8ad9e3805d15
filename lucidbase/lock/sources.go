package lock

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// Sources are the source distributions that stand in for wheels that nobody
// publishes, in the order in which they were resolved.
type Sources []Source

// Source is one locked source distribution and what it takes to make a wheel of
// it.
type Source struct {
	// Name is the normalised project name (PEP 503).
	Name string
	// Version is the exact version, without "==".
	Version string
	// Marker says where the package is needed, as in PEP 508; empty means
	// everywhere.
	Marker string
	// SHA256 is the source distribution's hash, 64 lower-case hexadecimal digits.
	SHA256 string
	// Targets are those for which the source is used instead of a wheel, each one
	// of WheelTargets; or AnyTarget alone, for a pure package that has no wheel at
	// all: one build serves every target.
	Targets []string
	// Build are the wheels that the build itself needs, exact and complete: the
	// build system's requirements (PEP 518), those that it asks for (PEP 517) and
	// what they depend on. Their hashes are of wheels for the build platforms.
	Build Requirements
	// CXX says that the build compiles C++. It changes no result: a build that is
	// known to need the C++ library shares it with others, one that is not makes
	// its own, which takes a minute.
	CXX bool
	// Libraries are Debian packages of the target, such as "libffi-dev", whose
	// headers and libraries the build needs; each is in the Debian lock's headers
	// layer.
	Libraries []string
}

// AnyTarget is the target of a wheel that runs everywhere.
const AnyTarget = "any"

// WheelTargets lists the platform tags (PEP 425) that wheels are compiled for:
// Debian 12's glibc (PEP 600) and Alpine's musl (PEP 656), on each CPU.
func WheelTargets() []string {
	return []string{"manylinux_2_36_x86_64", "manylinux_2_36_aarch64", "musllinux_1_2_x86_64", "musllinux_1_2_aarch64"}
}

// SourcesFile is the name of the lock of the tier's source distributions. A tier
// that needs none has no such file.
func (t Tier) SourcesFile() string { return string(t) + ".sources.toml" }

// Serves reports whether the source is used for one of WheelTargets.
func (s Source) Serves(target string) bool {
	return slices.Contains(s.Targets, target) || slices.Contains(s.Targets, AnyTarget)
}

// BuildTarget is what the source is compiled for when a target needs it: the
// target itself, or AnyTarget.
func (s Source) BuildTarget(target string) string {
	if slices.Contains(s.Targets, AnyTarget) {
		return AnyTarget
	}
	return target
}

// For gives the sources that one of WheelTargets needs.
func (ss Sources) For(target string) Sources {
	var used Sources
	for _, s := range ss {
		if s.Serves(target) {
			used = append(used, s)
		}
	}
	return used
}

// Replace gives the requirements that stay wheels when the sources take the place
// of those of the same name and marker.
func (ss Sources) Replace(reqs Requirements) Requirements {
	return slices.DeleteFunc(slices.Clone(reqs), func(r Requirement) bool {
		return slices.ContainsFunc(ss, func(s Source) bool { return s.Name == r.Name && s.Marker == r.Marker })
	})
}

// sourcesTOML is the file's form; build requirements are lines of a requirements
// file.
type sourcesTOML struct {
	Source []sourceTOML `toml:"source"`
}

type sourceTOML struct {
	Name      string   `toml:"name"`
	Version   string   `toml:"version"`
	Marker    string   `toml:"marker,omitempty"`
	SHA256    string   `toml:"sha256"`
	Targets   []string `toml:"targets"`
	CXX       bool     `toml:"cxx,omitempty"`
	Libraries []string `toml:"libraries,omitempty"`
	Build     string   `toml:"build,omitempty"`
}

// ParseSources reads a lock that Sources.Format wrote. name is what errors call
// the file; each names the line and the project.
func ParseSources(name string, data []byte) (Sources, error) {
	var file sourcesTOML
	if err := decodeTOML(name, data, &file); err != nil {
		return nil, err
	}
	r := &reporter{name: name}
	var sources Sources
	for i, raw := range file.Source {
		line := lineWith(data, i, "[[source]]")
		bad := func(format string, args ...any) {
			r.bad(line, "%s: %w", raw.Name, fmt.Errorf(format, args...))
		}
		s := raw.source(bad)
		s.check(sources, bad)
		sources = append(sources, s)
	}
	if err := errors.Join(r.errs...); err != nil {
		return nil, err
	}
	return sources, nil
}

func (raw sourceTOML) source(bad func(string, ...any)) Source {
	s := Source{
		Name: raw.Name, Version: raw.Version, Marker: raw.Marker, SHA256: raw.SHA256,
		Targets: raw.Targets, CXX: raw.CXX, Libraries: raw.Libraries,
	}
	build, err := ParseRequirements("build", []byte(raw.Build))
	if err != nil {
		bad("%w", err)
	}
	s.Build = build
	return s
}

// Format gives the lock's committed form; equal locks give equal bytes.
func (ss Sources) Format() []byte {
	var b bytes.Buffer
	for _, s := range ss {
		if b.Len() > 0 {
			b.WriteByte('\n')
		}
		b.WriteString("[[source]]\n")
		b.Write(encodeTOML(struct {
			Name    string `toml:"name"`
			Version string `toml:"version"`
			Marker  string `toml:"marker,omitempty"`
			SHA256  string `toml:"sha256"`
		}{s.Name, s.Version, s.Marker, s.SHA256}))
		b.WriteString(formatList("targets", s.Targets))
		if s.CXX {
			b.WriteString("cxx = true\n")
		}
		if len(s.Libraries) > 0 {
			b.WriteString(formatList("libraries", s.Libraries))
		}
		if len(s.Build) > 0 {
			// Requirements have neither a quote of this kind nor a control character.
			b.WriteString("build = '''\n" + string(s.Build.Format()) + "'''\n")
		}
	}
	return b.Bytes()
}

func formatList(key string, items []string) string {
	if len(items) == 0 {
		return key + " = []\n"
	}
	return key + " = [\"" + strings.Join(items, "\", \"") + "\"]\n"
}

var projectName = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`) // PEP 503

func (s Source) check(before Sources, bad func(string, ...any)) {
	if !projectName.MatchString(s.Name) {
		bad("name %q is not a normalised project name", s.Name)
	}
	if !pythonVersion.MatchString(s.Version) {
		bad("version %q is not a version", s.Version)
	}
	if !hexSHA256.MatchString(s.SHA256) {
		bad("sha256 %q is not 64 hexadecimal digits", s.SHA256)
	}
	for _, b := range before {
		if b.Name == s.Name && b.Marker == s.Marker {
			bad("listed before, as version %s", b.Version)
		}
	}
	s.checkTargets(bad)
	for i, l := range s.Libraries {
		if !debName.MatchString(l) {
			bad("library %q is not a Debian package name", l)
		}
		if slices.Contains(s.Libraries[:i], l) {
			bad("library %s: listed twice", l)
		}
	}
	for _, b := range s.Build {
		if strings.Contains(b.Marker, "'''") || strings.ContainsFunc(b.Marker, unicode.IsControl) {
			bad("build requirement %s: three quotes or a control character in the marker", b.Name)
		}
	}
}

func (s Source) checkTargets(bad func(string, ...any)) {
	if len(s.Targets) == 0 {
		bad("no targets")
	}
	for i, t := range s.Targets {
		switch {
		case t == AnyTarget && len(s.Targets) > 1:
			bad("target any stands alone")
		case t != AnyTarget && !slices.Contains(WheelTargets(), t):
			bad("target %q is not any or one of %s", t, strings.Join(WheelTargets(), ", "))
		case slices.Contains(s.Targets[:i], t):
			bad("target %s: listed twice", t)
		}
	}
}
