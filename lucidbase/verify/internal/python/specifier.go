package python

import (
	"fmt"
	"regexp"
	"strings"
)

// Specifiers are version specifiers, all of which must hold: ">=1.2, !=1.4.*".
type Specifiers []specifier

type specifier struct {
	op, text string
	version  Version
	// prefix is a version that ended with ".*".
	prefix bool
}

const public = `v?(?:[0-9]+!)?[0-9]+(?:\.[0-9]+)*` + versionSuffix

// specifierPattern has what PEP 440 allows behind each operator.
var specifierPattern = regexp.MustCompile(`(?i)^(?:` +
	`===\s*[^\s;)]*` +
	`|(?:==|!=)\s*v?(?:[0-9]+!)?[0-9]+(?:\.[0-9]+)*(?:\.\*|` + versionSuffix + `(?:\+[a-z0-9]+(?:[-_.][a-z0-9]+)*)?)` +
	`|~=\s*v?(?:[0-9]+!)?[0-9]+(?:\.[0-9]+)+` + versionSuffix +
	`|(?:<=|>=|<|>)\s*` + public + `)`)

// ParseSpecifiers reads specifiers with commas between them; none is a set that
// everything fulfils.
func ParseSpecifiers(s string) (Specifiers, error) {
	var set Specifiers
	for part := range strings.SplitSeq(s, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		spec, n, err := parseSpecifier(part)
		if err != nil || n != len(part) {
			return nil, fmt.Errorf("version specifier %q: not of PEP 440", part)
		}
		set = append(set, spec)
	}
	return set, nil
}

// parseSpecifier reads the one that s starts with, n bytes long.
func parseSpecifier(s string) (spec specifier, n int, err error) {
	n = len(specifierPattern.FindString(s))
	if n == 0 {
		return spec, 0, fmt.Errorf("version specifier %q: not of PEP 440", s)
	}
	text := s[:n]
	spec.op = text[:len(text)-len(strings.TrimLeft(text, "=!~<>"))]
	if strings.HasPrefix(text, "===") {
		spec.op = "==="
	}
	spec.text = strings.TrimSpace(text[len(spec.op):])
	if spec.op == "===" {
		return spec, n, nil
	}
	version := spec.text
	version, spec.prefix = strings.CutSuffix(version, ".*")
	spec.version, err = ParseVersion(version)
	return spec, n, err
}

// Contain reports whether an installed version fulfils all of them. A pre-release
// counts: it is already there. One that is no version fulfils "===" alone.
func (s Specifiers) Contain(version string) bool {
	v, err := ParseVersion(version)
	for _, spec := range s {
		if spec.op == "===" {
			if !strings.EqualFold(version, spec.text) {
				return false
			}
		} else if err != nil || !spec.contains(v) {
			return false
		}
	}
	return true
}

func (s specifier) contains(v Version) bool {
	w := s.version
	switch s.op {
	case "==":
		return s.equals(v)
	case "!=":
		return !s.equals(v)
	case "~=":
		return v.comparePublic(w) >= 0 && v.hasPrefix(w, len(w.release)-1)
	case "<=":
		return v.comparePublic(w) <= 0
	case ">=":
		return v.comparePublic(w) >= 0
	case "<":
		if !w.isPre() { // "<1" leaves out 1's own pre-releases
			w.isDv, w.dev, w.local = true, "", nil
		}
		return v.Compare(w) < 0
	case ">":
		// ">1" leaves out 1's own post-releases.
		return v.comparePublic(w) > 0 && (w.isDv || w.isPost || !v.isPostOf(w))
	}
	return false
}

func (s specifier) equals(v Version) bool {
	switch {
	case s.prefix:
		return v.hasPrefix(s.version, len(s.version.release))
	case len(s.version.local) == 0:
		return v.comparePublic(s.version) == 0
	}
	return v.Compare(s.version) == 0
}

// hasPrefix reports whether epoch and the first n numbers of the release are w's.
func (v Version) hasPrefix(w Version, n int) bool {
	if v.epoch.compare(w.epoch) != 0 {
		return false
	}
	for i := range n {
		if v.segment(i).compare(w.segment(i)) != 0 {
			return false
		}
	}
	return true
}

// String is the set in the form in which a person writes it.
func (s Specifiers) String() string {
	parts := make([]string, len(s))
	for i, spec := range s {
		parts[i] = spec.op + spec.text
	}
	return strings.Join(parts, ",")
}
