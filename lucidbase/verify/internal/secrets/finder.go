// Package secrets recognises credentials: by their form in a file, by the name of a
// variable, and values that only stand for one.
package secrets

import (
	"bytes"
	"regexp"

	"github.com/lucid-project/base-images/lucidbase/verify/internal/match"
)

// Secret is something in a file that looks like a credential. It never holds
// the credential.
type Secret struct {
	// Kind says what it is: "PEM private key".
	Kind string
	// Line counts from 1.
	Line int
}

// pattern is a credential's form. The word is looked for first, in one pass
// for all patterns; the expression then decides.
type pattern struct {
	kind string
	word string
	// back says where expr looks from: that many bytes before the word, or at its
	// line's start for -1. Its last group that matched is the secret itself.
	back int
	expr *regexp.Regexp
	// binary is for programs and other binaries too, not only for what people write.
	binary bool
	// settings is for files of settings alone: elsewhere it is an example.
	settings bool
}

// maxSecret is how much of a file a pattern sees from the word on.
const maxSecret = 2048

// Finder looks for credentials in a file as it goes by.
type Finder struct {
	window match.Window
	// matcher finds the words of patterns.
	matcher  *match.Matcher
	patterns []*pattern
	// line is that of the window's first byte.
	line  int
	begun bool
	found []Secret
}

// maxSecrets is how many are kept of one file: a rule needs one.
const maxSecrets = 20

// NewFinder returns the Finder for a file by its path and its first bytes.
func NewFinder(p string, head []byte) *Finder {
	s := &Finder{window: match.Window{Overlap: 2 * maxSecret}, line: 1}
	switch {
	case bytes.IndexByte(head[:min(len(head), 8192)], 0) >= 0:
		s.matcher, s.patterns = binaryMatcher, binaryPatterns
	case settingsFile.MatchString(p) && !notes.MatchString(p):
		s.matcher, s.patterns = settingsMatcher, settingsPatterns
	default:
		s.matcher, s.patterns = textMatcher, textPatterns
	}
	return s
}

// Add looks at the next piece of the content, which is only read until it returns.
func (s *Finder) Add(p []byte) {
	if !s.begun {
		s.begun = true
		if kind := keyFile(p); kind != "" {
			s.found = append(s.found, Secret{kind, 1})
		}
	}
	s.window.Add(p, s.look)
}

func (s *Finder) look(data []byte, end int) {
	if len(s.found) < maxSecrets {
		s.matcher.Find(data, end, func(word, at int) { s.try(s.patterns[word], data, at) })
	}
	s.line += bytes.Count(data[:end], []byte("\n"))
}

func (s *Finder) try(p *pattern, data []byte, at int) {
	if len(s.found) >= maxSecrets {
		return
	}
	start := max(0, at-p.back)
	if p.back < 0 {
		start = max(bytes.LastIndexByte(data[:at], '\n')+1, at-maxSecret)
	}
	m := p.expr.FindSubmatchIndex(data[start:min(len(data), at+maxSecret)])
	if m == nil {
		return
	}
	for m[len(m)-1] < 0 { // a group of another alternative
		m = m[:len(m)-2]
	}
	if isExample(data[start+m[len(m)-2] : start+m[len(m)-1]]) {
		return
	}
	line := s.line + bytes.Count(data[:at], []byte("\n"))
	for _, known := range s.found {
		if known == (Secret{p.kind, line}) {
			return
		}
	}
	s.found = append(s.found, Secret{p.kind, line})
}

// Found ends the content and returns what was found in it.
func (s *Finder) Found() []Secret {
	s.window.Last(s.look)
	return s.found
}

// example is in what documentation has instead of a secret.
var example = regexp.MustCompile(`(?i)example|placeholder|change[-_]?me|your[-_]?(own|api|secret|token|key|pass)|x{6,}|\*{3,}|\.{3}|<[^>]*>|[$%{][({]|^[{$]|` +
	`^(pass(word|wd)?|pwd|pw|secret|token|key|user(name)?|foo|bar|test|none|null)[0-9]*["']?$`)

// isExample reports whether a secret is a placeholder: one of its words, or a filler over
// and over.
func isExample(secret []byte) bool {
	body := secret[bytes.LastIndexAny(secret[:len(secret)-1], "_-")+1:]
	return example.Match(secret) || IsPlaceholder(string(secret)) || len(bytes.Trim(body, "xX0*.-_")) == 0
}
