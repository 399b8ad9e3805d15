package python

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// Requirement is a dependency as Requires-Dist has it (PEP 508).
type Requirement struct {
	// Name is as written; compare names.Normalize(r.Name).
	Name   string
	Extras []string
	// Specifiers are empty for a requirement with a URL, which any version fulfils.
	Specifiers Specifiers
	URL        string
	// Marker is nil when it always holds.
	Marker *Marker
}

var (
	identifier = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9._-]*\b`)
	address    = regexp.MustCompile(`^[^ \t]+`)
)

// ParseRequirement reads a requirement; the error says what was expected where.
func ParseRequirement(s string) (Requirement, error) {
	p := &parser{rest: s}
	r, err := p.requirement()
	if err != nil {
		return r, fmt.Errorf("requirement %q: at byte %d: %w", s, len(s)-len(p.rest), err)
	}
	return r, nil
}

// parser takes tokens off the start of rest.
type parser struct {
	rest  string
	depth int
}

func (p *parser) space() { p.rest = strings.TrimLeft(p.rest, " \t") }

// take takes what matches off; "" when nothing does.
func (p *parser) take(re *regexp.Regexp) string {
	s := re.FindString(p.rest)
	p.rest = p.rest[len(s):]
	return s
}

// literal takes one of a few fixed tokens and the space behind it.
func (p *parser) literal(token string) bool {
	rest, ok := strings.CutPrefix(p.rest, token)
	if ok {
		p.rest = rest
		p.space()
	}
	return ok
}

func (p *parser) requirement() (r Requirement, err error) {
	p.space()
	if r.Name = p.take(identifier); r.Name == "" {
		return r, errors.New("no name")
	}
	p.space()
	if r.Extras, err = p.extras(); err != nil {
		return r, err
	}
	if p.literal("@") {
		if r.URL = p.take(address); r.URL == "" {
			return r, errors.New("no URL")
		}
		p.space()
	} else if r.Specifiers, err = p.specifiers(); err != nil {
		return r, err
	}
	if p.rest == "" {
		return r, nil
	}
	if !p.literal(";") {
		return r, errors.New("no semicolon")
	}
	if r.Marker, err = p.marker(); err == nil && p.rest != "" {
		err = errors.New("something behind the marker")
	}
	return r, err
}

func (p *parser) extras() (extras []string, err error) {
	if !p.literal("[") {
		return nil, nil
	}
	for !p.literal("]") {
		if len(extras) > 0 && !p.literal(",") {
			return nil, errors.New("no comma between extras")
		}
		extra := p.take(identifier)
		if extra == "" {
			return nil, errors.New("no name of an extra")
		}
		extras = append(extras, extra)
		p.space()
	}
	return extras, nil
}

func (p *parser) specifiers() (Specifiers, error) {
	enclosed := p.literal("(")
	var set Specifiers
	for specifierPattern.MatchString(p.rest) {
		spec, n, err := parseSpecifier(p.rest)
		if err != nil {
			return nil, err
		}
		// The text of === may hold commas: they end it in a set.
		if texts := strings.Split(p.rest[:n], ","); len(texts) > 1 {
			if set, err = appendTexts(set, texts); err != nil {
				return nil, err
			}
		} else {
			set = append(set, spec)
		}
		p.rest = p.rest[n:]
		p.space()
		if !p.literal(",") {
			break
		}
	}
	if enclosed && !p.literal(")") {
		return nil, errors.New("no closing parenthesis")
	}
	return set, nil
}

func appendTexts(set Specifiers, texts []string) (Specifiers, error) {
	more, err := ParseSpecifiers(strings.Join(texts, ","))
	return append(set, more...), err
}
