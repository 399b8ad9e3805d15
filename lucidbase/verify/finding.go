package verify

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/lucid-project/base-images/lucidbase/verify/internal/overlay"
)

// Finding is something about an image that breaks a rule.
type Finding struct {
	// Rule is the name of one of Rules.
	Rule string `json:"rule"`
	// Path is the file's, or for the config "config:" and the field:
	// "config:User", "config:Env.TOKEN"; "manifest" and "index" stand for these.
	Path string `json:"path"`
	// Layer is the diff ID of the layer that holds the file; zero where no layer
	// does.
	Layer v1.Hash `json:"layer,omitzero"`
	// Source is the file that this one was copied from, by the contract's Copied; empty
	// where that is not known.
	Source string `json:"source,omitempty"`
	// Found says what was found, Why why it matters and Fix what to do.
	Found string `json:"found"`
	Why   string `json:"why"`
	Fix   string `json:"fix"`
}

// String is the finding in one line; whatever a hostile image has in its names
// is escaped.
func (f Finding) String() string {
	text := f.Rule + ": " + f.Path + ": " + f.Found
	if f.Source != "" {
		text += " (" + f.Source + ")"
	}
	if f.Layer.Hex != "" {
		text += " (layer " + f.Layer.Algorithm + ":" + f.Layer.Hex[:min(12, len(f.Layer.Hex))] + ")"
	}
	return Printable(text)
}

// Printable escapes what would not show as itself on a terminal.
func Printable(s string) string {
	quoted := strconv.QuoteToGraphic(s)
	return strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)
}

// Waiver lets one path break one rule.
type Waiver struct {
	// Rule is the rule's name, such as "link".
	Rule string `json:"rule"`
	// Path is a finding's, letter by letter: a waiver covers no directory.
	Path string `json:"path"`
	// Reason is for people; it must not be empty.
	Reason string `json:"reason"`
}

// String is the form that ParseWaiver reads.
func (w Waiver) String() string { return w.Rule + ":" + w.Path + "=" + w.Reason }

// ParseWaiver reads RULE:PATH=REASON.
func ParseWaiver(s string) (Waiver, error) {
	rule, rest, ok := strings.Cut(s, ":")
	file, reason, ok2 := strings.Cut(rest, "=")
	w := Waiver{Rule: rule, Path: file, Reason: strings.TrimSpace(reason)}
	if !ok || !ok2 {
		return w, fmt.Errorf("waiver %q: not RULE:PATH=REASON", s)
	}
	return w, w.Validate()
}

// Validate reports a rule that does not exist, and an empty path or reason.
func (w Waiver) Validate() error {
	switch {
	case !isRule(w.Rule):
		return fmt.Errorf("waiver %q: no rule %q", w, w.Rule)
	case w.Path == "":
		return fmt.Errorf("waiver %q: no path", w)
	case strings.TrimSpace(w.Reason) == "":
		return fmt.Errorf("waiver %q: no reason", w)
	}
	return nil
}

// Contract is what an image is held to. The zero value holds it to every rule
// that needs no lock.
type Contract struct {
	// Platform the image must be for; the zero value takes what its config says.
	Platform v1.Platform
	// Layers are diff IDs that the image must have, in this order, from the first
	// layer on: those that a lock names.
	Layers []v1.Hash
	// Packages are the versions of the operating system's packages by name. When
	// not nil, there must be these and no others.
	Packages map[string]string
	// Distributions are the versions of the Python distributions by normalised name
	// (PEP 503). When not nil, there must be these and no others.
	Distributions map[string]string
	// Labels that the image must have.
	Labels map[string]string
	// Copied says what directories of the image were copied from, for findings to name
	// the file that a person has.
	Copied []Copied
	// Waivers let single paths break single rules.
	Waivers []Waiver
	// Only, when not empty, names the rules that are applied; Except names those
	// that are not.
	Only, Except []string
	// Dev judges a twin for build stages and debugging, which has a shell and pip: the
	// rules about these, and about what they bring, do not apply. Without it, no image
	// passes whose label says that it is one.
	Dev bool
}

// notOfDev are the rules that a twin breaks by what it is for.
var notOfDev = []string{
	"shell",           // bash and dash
	"script",          // of theirs
	"package-manager", // pip
}

// Copied is a directory of an image, and the one that was copied to it.
type Copied struct{ Path, Source string }

// source returns where a file was copied from: of several that may have it, each.
func (c Contract) source(file string) string {
	longest, sources := "", []string{}
	for _, o := range c.Copied {
		inside, ok := strings.CutPrefix(file, o.Path+"/")
		if !ok || len(o.Path) < len(longest) {
			continue
		}
		if o.Path != longest {
			longest, sources = o.Path, nil
		}
		sources = append(sources, path.Join(o.Source, inside))
	}
	return strings.Join(sources, " or ")
}

// want is the part of the contract that is about the image.
func (c Contract) want() overlay.Want {
	return overlay.Want{Platform: c.Platform, Layers: c.Layers, Packages: c.Packages, Distributions: c.Distributions, Labels: c.Labels, Dev: c.Dev}
}

func (c Contract) applies(rule string) bool {
	if c.Dev && slices.Contains(notOfDev, rule) {
		return false
	}
	for _, r := range c.Except {
		if r == rule {
			return false
		}
	}
	for _, r := range c.Only {
		if r == rule {
			return true
		}
	}
	return len(c.Only) == 0
}

// waives reports whether a finding is waived.
func (c Contract) waives(f Finding) bool {
	for _, w := range c.Waivers {
		if w.Rule == f.Rule && w.Path == f.Path {
			return true
		}
	}
	return false
}
