package explain

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/lucid-project/base-images/internal/names"
)

// conflict is what can be made of uv's reasoning.
type conflict struct {
	// facts are "A depends on B" of the user's own projects.
	facts []fact
	// reason is the beginning of uv's reasoning, where there are no facts.
	reason string
	// names are the projects that it is about.
	names map[string]bool
}

// fact is that one requirement asks for another.
type fact struct{ what, needs string }

var (
	inBraces  = regexp.MustCompile(`\{[^}]*\}`)
	dependsOn = regexp.MustCompile(`(\S+) depends on (\S+)`)
	included  = regexp.MustCompile("`([^`]+)` \\(v[^)]+\\) was included because `([^`]+)` \\(v([^)]+)\\)")
	because   = regexp.MustCompile(`cause: (?:Because )?(.*?)(?:, we can conclude| And because|hint:|$)`)
)

// parseConflict reads uv's text of requirements that have no solution. own are
// the normalised names of the user's projects.
func parseConflict(text string, own map[string]bool) conflict {
	c := conflict{names: map[string]bool{}}
	build := failedBuild.FindStringSubmatch(text)
	flat := strings.Join(strings.Fields(inBraces.ReplaceAllString(text, "")), " ")
	if build != nil {
		c.reason = fmt.Sprintf("the source of %s cannot be built: %s", build[1], buildCause(text))
		c.names[nameOf(build[1])] = own[nameOf(build[1])]
		for _, m := range included.FindAllStringSubmatch(flat, -1) {
			c.names[nameOf(m[2])] = own[nameOf(m[2])]
			c.facts = append(c.facts, fact{m[2] + "==" + m[3], m[1]})
		}
		return c
	}
	if m := because.FindStringSubmatch(flat); m != nil {
		c.reason = short(m[1], 200)
	}
	for token := range strings.FieldsSeq(flat) {
		if name := nameOf(token); strings.ContainsAny(token, "<>=!~[") && own[name] {
			c.names[name] = true
		}
	}
	for _, m := range dependsOn.FindAllStringSubmatch(flat, -1) {
		f := fact{m[1], strings.TrimRight(m[2], ",.")}
		same := func(g fact) bool { return nameOf(g.what) == nameOf(f.what) && nameOf(g.needs) == nameOf(f.needs) }
		// The last conclusion is the shortest way to say it.
		if c.facts = slices.DeleteFunc(c.facts, same); own[nameOf(f.what)] {
			c.facts = append(c.facts, f)
		}
	}
	if direct := slices.DeleteFunc(slices.Clone(c.facts), func(f fact) bool { return !own[nameOf(f.needs)] }); len(direct) > 0 {
		c.facts = direct
	}
	return c
}

func nameOf(requirement string) string {
	return names.Normalize(projectName.FindString(strings.TrimLeft(requirement, "(`")))
}

// needed reports whether another project of the conflict depends on this one.
func (c conflict) needed(name string) bool {
	return slices.ContainsFunc(c.facts, func(f fact) bool { return nameOf(f.needs) == name })
}

// short returns the reasoning in a line.
func (c conflict) short() string {
	if len(c.facts) == 0 {
		return c.reason
	}
	var said []string
	for _, f := range c.facts[:min(len(c.facts), 2)] {
		said = append(said, f.what+" depends on "+f.needs)
	}
	if strings.HasPrefix(c.reason, "the source of ") {
		said = append(said, c.reason)
	}
	return strings.Join(said, "; ")
}
