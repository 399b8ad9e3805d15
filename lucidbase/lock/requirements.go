package lock

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/lucid-project/base-images/internal/names"
)

// Requirements is a hash-locked list of Python distributions, in the order and
// form of a pip requirements file with hashes.
type Requirements []Requirement

// Requirement is one locked distribution.
type Requirement struct {
	// Name is the normalised project name (PEP 503).
	Name string
	// Version is the exact version, without "==".
	Version string
	// Marker says on which platforms the distribution is needed, as in PEP 508;
	// empty means all.
	Marker string
	// Hashes are those of the files that may be installed, each "sha256:" and
	// 64 hexadecimal digits, sorted.
	Hashes []string
	// Wheels are the files that are installed, each for some targets. Requirements of
	// a text alone have none.
	Wheels []Wheel
	// Sdist is compiled for targets that have no wheel; nil for none.
	Sdist *Sdist
}

var (
	requirementLine = regexp.MustCompile(`^([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)(?:\[[A-Za-z0-9._, -]*\])?==([A-Za-z0-9.!+_-]+)(?:\s*;\s*(.+))?$`)
)

// ParseRequirements reads a requirements file in which every line is an exact
// version with hashes, as "uv pip compile --generate-hashes" writes it.
// Comments are dropped. name is what errors call the file; each error names the
// line and the project.
func ParseRequirements(name string, data []byte) (Requirements, error) {
	var reqs Requirements
	seen := map[string]int{}
	var errs []error
	for _, l := range logicalLines(data) {
		r, err := parseRequirement(l.text)
		if err == nil && seen[r.Name+";"+r.Marker] != 0 {
			err = fmt.Errorf("%s: listed before, on line %d", r.Name, seen[r.Name+";"+r.Marker])
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("parsing %s: line %d: %w", name, l.number, err))
			continue
		}
		seen[r.Name+";"+r.Marker] = l.number
		reqs = append(reqs, r)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return reqs, nil
}

// Format returns the file's text; ParseRequirements reads it back.
func (rs Requirements) Format() []byte {
	var b bytes.Buffer
	for _, r := range rs {
		b.WriteString(r.Name)
		b.WriteString("==")
		b.WriteString(r.Version)
		if r.Marker != "" {
			b.WriteString(" ; ")
			b.WriteString(r.Marker)
		}
		for _, h := range r.Hashes {
			b.WriteString(" \\\n    --hash=")
			b.WriteString(h)
		}
		b.WriteByte('\n')
	}
	return b.Bytes()
}

// Without returns the requirements that lower does not have. One that is in both
// with another version or other hashes is an error: an image has one of them.
func (rs Requirements) Without(lower Requirements) (Requirements, error) {
	known := map[string]Requirement{}
	for _, r := range lower {
		known[r.Name] = r
	}
	var own Requirements
	var errs []error
	for _, r := range rs {
		if k, ok := known[r.Name]; ok {
			errs = append(errs, r.agrees(k))
			continue
		}
		own = append(own, r)
	}
	return own, errors.Join(errs...)
}

// agrees compares a requirement with the same one of a lower tier.
func (r Requirement) agrees(lower Requirement) error {
	switch {
	case r.Version != lower.Version:
		return fmt.Errorf("%s: version %s here, %s in the tier below", r.Name, r.Version, lower.Version)
	case !slices.Equal(r.Hashes, lower.Hashes):
		return fmt.Errorf("%s: other hashes of version %s than in the tier below", r.Name, r.Version)
	}
	return nil
}

type logicalLine struct {
	number int
	text   string
}

// logicalLines joins continued lines and drops comments and blank lines.
func logicalLines(data []byte) []logicalLine {
	var out []logicalLine
	var parts []string
	first := 0
	end := func() {
		if len(parts) > 0 {
			out = append(out, logicalLine{first, strings.Join(parts, " ")})
		}
		parts = parts[:0]
	}
	sc := bufio.NewScanner(bytes.NewReader(data))
	sc.Buffer(nil, len(data)+1)
	for n := 1; sc.Scan(); n++ {
		text := sc.Text()
		if strings.HasPrefix(text, "#") {
			text = ""
		}
		text, _, _ = strings.Cut(text, " #")
		text, continued := strings.CutSuffix(strings.TrimSpace(text), `\`)
		if len(parts) == 0 {
			first = n
		}
		if text = strings.TrimSpace(text); text != "" {
			parts = append(parts, text)
		}
		if !continued {
			end()
		}
	}
	end()
	return out
}

// isSHA256 reports whether a text is 64 hexadecimal digits. A lock has thousands.
func isSHA256(s string) bool {
	return len(s) == sha256.Size*2 && strings.Trim(s, "0123456789abcdef") == ""
}

func parseRequirement(text string) (Requirement, error) {
	spec, rest, _ := strings.Cut(text, " --")
	m := requirementLine.FindStringSubmatch(strings.TrimSpace(spec))
	if m == nil {
		return Requirement{}, fmt.Errorf("%q is not NAME==VERSION with hashes", strings.TrimSpace(spec))
	}
	r := Requirement{Name: names.Normalize(m[1]), Version: m[2], Marker: strings.TrimSpace(m[3])}
	if strings.ContainsAny(r.Marker, `\`) {
		return Requirement{}, fmt.Errorf("%s: a backslash in the marker", r.Name)
	}
	for _, option := range strings.Fields("--" + rest) {
		if option == "--" {
			continue
		}
		hash, ok := strings.CutPrefix(option, "--hash=sha256:")
		if !ok || !isSHA256(hash) {
			return Requirement{}, fmt.Errorf("%s: %q is not --hash=sha256: and 64 hexadecimal digits", r.Name, option)
		}
		r.Hashes = append(r.Hashes, "sha256:"+hash)
	}
	if len(r.Hashes) == 0 {
		return Requirement{}, fmt.Errorf("%s: no hash", r.Name)
	}
	slices.Sort(r.Hashes)
	r.Hashes = slices.Compact(r.Hashes)
	return r, nil
}
