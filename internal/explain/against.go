package explain

import (
	"fmt"
	"strings"
)

// Against returns what uv's text of a contradiction between the project and other
// requirements is about, in one line: the project's own lines, and why.
func (p *Project) Against(text string) string {
	own := map[string]bool{}
	entries := p.entries()
	for _, e := range entries {
		own[e.line.Name] = true
	}
	c := parseConflict(text, own)
	var said []string
	for _, e := range entries {
		if l := e.line; l.Name != "" && c.names[l.Name] {
			said = append(said, fmt.Sprintf("%s: line %d: %s", l.File, l.First, short(l.Text, 60)))
		}
	}
	return strings.Join(append(said, c.short()), "; ")
}
