package lock

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"github.com/lucid-project/base-images/internal/lines"
	"github.com/lucid-project/base-images/internal/names"
)

// packagesTOML is the form of NAME.lock.toml. The words are PEP 751's where it has
// them; there are no addresses, so it is no pylock file.
type packagesTOML struct {
	Base     *baseTOML     `toml:"base"`
	Targets  []string      `toml:"targets"`
	Packages []packageTOML `toml:"packages"`
}

type baseTOML struct {
	Name   string `toml:"name"`
	Digest string `toml:"digest"`
}

type packageTOML struct {
	Name    string      `toml:"name"`
	Version string      `toml:"version"`
	Wheels  []wheelTOML `toml:"wheels"`
	Sdist   *sdistTOML  `toml:"sdist"`
}

type wheelTOML struct {
	Name    string            `toml:"name"`
	Size    int64             `toml:"size"`
	Hashes  map[string]string `toml:"hashes"`
	Targets []string          `toml:"targets"` // none: all of the lock's
}

type sdistTOML struct {
	Hashes    map[string]string `toml:"hashes"`
	Targets   []string          `toml:"targets"`
	CXX       bool              `toml:"cxx"`
	Libraries []string          `toml:"libraries"`
	Build     string            `toml:"build"` // lines of a requirements file
}

// parseFiles reads what FormatTOML wrote. name is what errors call the file; each
// names the line and the project.
func parseFiles(name string, data []byte) (Packages, error) {
	var file packagesTOML
	if err := lines.DecodeTOML(name, data, &file); err != nil {
		return Packages{}, err
	}
	r := &lines.Report{Name: name}
	p := Packages{Targets: file.Targets}
	if file.Base != nil {
		p.Base = Base(*file.Base)
		if !names.Project.MatchString(p.Base.Name) || !sha256Digest.MatchString(p.Base.Digest) {
			r.Bad(lines.OfKey(data, "base"), "base: %q with the digest %q is not a name and a SHA-256 digest", p.Base.Name, p.Base.Digest)
		}
	}
	checkTargets(p.Targets, WheelTargets(), func(format string, args ...any) { r.Bad(lines.OfKey(data, "targets"), format, args...) })
	for i, raw := range file.Packages {
		bad := func(format string, args ...any) {
			r.Bad(lines.With(data, i, "[[packages]]"), "%s: %w", raw.Name, fmt.Errorf(format, args...))
		}
		req := raw.requirement(p.Targets, bad)
		p.checkNew(req, bad)
		p.Requirements = append(p.Requirements, req)
	}
	if err := r.Err(); err != nil {
		return Packages{}, err
	}
	return p, nil
}

// checkNew reports a package that is not in order, or in a second version for a
// target.
func (p Packages) checkNew(r Requirement, bad func(string, ...any)) {
	for _, before := range p.Requirements {
		if before.Name > r.Name || before.Name == r.Name && before.Version == r.Version {
			bad("listed twice or not in order")
			return
		}
		for _, t := range p.Targets {
			if before.Name == r.Name && before.Serves(t) && r.Serves(t) {
				bad("version %s is for %s, and so is %s", before.Version, t, r.Version)
			}
		}
	}
}

func (raw packageTOML) requirement(targets []string, bad func(string, ...any)) Requirement {
	r := Requirement{Name: raw.Name, Version: raw.Version}
	if !names.Project.MatchString(r.Name) {
		bad("name %q is not a normalised project name", r.Name)
	}
	if !pythonVersion.MatchString(r.Version) {
		bad("version %q is not a version", r.Version)
	}
	var served []string
	for _, w := range raw.Wheels {
		wheel := Wheel{Name: w.Name, Size: w.Size, SHA256: w.Hashes["sha256"], Targets: w.Targets}
		if wheel.Targets == nil {
			wheel.Targets = targets
		}
		wheel.check(bad)
		served = append(served, wheel.Targets...)
		r.Wheels = append(r.Wheels, wheel)
	}
	if raw.Sdist != nil {
		r.Sdist = raw.Sdist.source(bad)
		served = append(served, r.Sdist.Targets...)
	}
	checkTargets(served, targets, bad)
	return r
}

func (w Wheel) check(bad func(string, ...any)) {
	if !strings.HasSuffix(w.Name, ".whl") || strings.ContainsAny(w.Name, "/\\\"'") {
		bad("%q is no wheel's name", w.Name)
	}
	if !isSHA256(w.SHA256) {
		bad("sha256 %q of %s is not 64 hexadecimal digits", w.SHA256, w.Name)
	}
	if w.Size <= 0 {
		bad("size %d of %s is not a number of bytes", w.Size, w.Name)
	}
}

func (raw sdistTOML) source(bad func(string, ...any)) *Sdist {
	build, err := ParseRequirements("build", []byte(raw.Build))
	if err != nil {
		bad("%w", err)
	}
	s := &Sdist{SHA256: raw.Hashes["sha256"], Targets: raw.Targets, CXX: raw.CXX, Libraries: raw.Libraries, Build: build}
	s.check(bad)
	return s
}

// FormatTOML returns the text of the lock's TOML file; equal locks have equal
// bytes.
func (p Packages) FormatTOML() []byte {
	var b bytes.Buffer
	if p.Base.Name != "" {
		fmt.Fprintf(&b, "base = { name = %q, digest = %q }\n", p.Base.Name, p.Base.Digest)
	}
	b.WriteString(formatList("targets", p.Targets))
	for _, r := range p.Requirements {
		b.WriteString("\n[[packages]]\nname = ")
		quote(&b, r.Name)
		b.WriteString("\nversion = ")
		quote(&b, r.Version)
		b.WriteByte('\n')
		if len(r.Wheels) > 0 {
			b.WriteString("wheels = [\n")
			for _, w := range r.Wheels {
				w.formatTOML(&b, p.Targets)
			}
			b.WriteString("]\n")
		}
		if r.Sdist != nil {
			b.WriteString(r.Sdist.formatTOML())
		}
	}
	return b.Bytes()
}

// quote writes a string as TOML has it. Each graph formats its lock, for the digest:
// what needs no quoting, as all that was parsed, is written as it is.
func quote(b *bytes.Buffer, s string) {
	special := func(c rune) bool { return c < ' ' || c > '~' || c == '"' || c == '\\' }
	if strings.ContainsFunc(s, special) {
		b.Write(strconv.AppendQuote(b.AvailableBuffer(), s))
		return
	}
	b.WriteByte('"')
	b.WriteString(s)
	b.WriteByte('"')
}

func (w Wheel) formatTOML(b *bytes.Buffer, all []string) {
	b.WriteString("  { name = ")
	quote(b, w.Name)
	b.WriteString(", size = ")
	b.Write(strconv.AppendInt(b.AvailableBuffer(), w.Size, 10))
	b.WriteString(", hashes = { sha256 = ")
	quote(b, w.SHA256)
	b.WriteString(" }")
	if len(w.Targets) < len(all) {
		b.WriteString(", " + strings.TrimSpace(formatList("targets", w.Targets)))
	}
	b.WriteString(" },\n")
}

func (s *Sdist) formatTOML() string {
	text := fmt.Sprintf("[packages.sdist]\nhashes = { sha256 = %q }\n", s.SHA256) + formatList("targets", s.Targets)
	if s.CXX {
		text += "cxx = true\n"
	}
	if len(s.Libraries) > 0 {
		text += formatList("libraries", s.Libraries)
	}
	if len(s.Build) > 0 {
		// Requirements have neither a quote of this kind nor a control character.
		text += "build = '''\n" + string(s.Build.Format()) + "'''\n"
	}
	return text
}

func formatList(key string, items []string) string {
	if len(items) == 0 {
		return key + " = []\n"
	}
	return key + " = [\"" + strings.Join(items, "\", \"") + "\"]\n"
}
