package resolve

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/lucid-project/base-images/internal/explain"
	"github.com/lucid-project/base-images/internal/names"
)

// Refused is a locked package that the contract refuses in an image, such as
// setuptools, and one of those that ask for it.
type Refused struct {
	Name, Version string
	// Way leads from a project that the list names to the one that asks; empty if
	// the list itself does alone.
	Way []Package
	// Needs is what that one asks for, "setuptools>=3.0", or the name alone where
	// that is not known.
	Needs string
	// Nearest is the version closest to that of the first of Way with which
	// nothing refused is needed, or empty when there is none.
	Nearest string
}

// Package is a locked package.
type Package struct{ Name, Version string }

// Notes says what else there is to know of a lock, a line each: what was left out,
// what an image will refuse and who asks for it, and what the index warns of.
func Notes(list List, l Locked) []string {
	p := list.project
	var lines []string
	for _, name := range l.Dropped {
		lines = append(lines, p.At(name)+": left out: nothing in the list needs it, and an image has no use for it")
	}
	for _, r := range l.Refused {
		lines = append(lines, r.note(p))
	}
	for _, w := range l.Warnings {
		if m := yanked.FindStringSubmatch(w); m == nil || !slices.Contains(l.Dropped, names.Normalize(m[1])) {
			lines = append(lines, warning(p, w))
		}
	}
	return lines
}

const waive = "waive what a build then finds, path by path, with a verify.Waiver of the rule package-manager"

func (r Refused) note(p *explain.Project) string {
	if len(r.Way) == 0 {
		return fmt.Sprintf("%s: no image may have %s (rule package-manager), and nothing else in the list needs it: remove the line, or %s", p.At(r.Name), r.Name, waive)
	}
	var b strings.Builder
	b.WriteString(p.At(r.Way[0].Name) + ": it ")
	for _, next := range r.Way[1:] {
		fmt.Fprintf(&b, "needs %s %s, which ", next.Name, next.Version)
	}
	fmt.Fprintf(&b, "needs %s, which no image may have (rule package-manager): ", r.Needs)
	if r.Nearest != "" {
		fmt.Fprintf(&b, "the nearest version that does not is %s==%s; or ", r.Way[0].Name, r.Nearest)
	} else {
		b.WriteString("no other version does without; ")
	}
	b.WriteString(waive)
	return b.String()
}

var yanked = regexp.MustCompile("^`([^`=]+)==([^`]+)` is yanked(?: \\(reason: \"(.*)\"\\))?$")

// warning puts a line of the list to what uv warns of.
func warning(p *explain.Project, said string) string {
	m := yanked.FindStringSubmatch(said)
	if m == nil {
		return "uv warns: " + said
	}
	at := p.At(names.Normalize(m[1]))
	if at == "" {
		at = m[1] + "==" + m[2]
	}
	if m[3] == "" {
		return at + ": it was yanked from the index, without a reason"
	}
	return at + ": it was yanked from the index: " + m[3]
}
