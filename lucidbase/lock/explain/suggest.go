package explain

import (
	"path"
	"strings"
)

// SuggestedName is where the corrected form of a file goes: beside it, as
// "requirements.suggested.txt".
func SuggestedName(name string) string {
	ext := path.Ext(name)
	return strings.TrimSuffix(name, ext) + ".suggested" + ext
}

// Suggested gives the corrected text of the project's first file and of what has
// to change with it, by SuggestedName. Each change has a comment above it, and
// all else is as it was; the text is UTF-8. A project without findings gives its
// first file alone.
func (d *Diagnosis) Suggested() map[string][]byte {
	changed := map[string]bool{d.project.files[0].name: true}
	for _, f := range d.Findings() {
		changed[f.File] = true
	}
	// What includes a changed file changes with it.
	for again := true; again; {
		again = false
		for _, e := range d.entries {
			if e.line.Kind == Include && changed[e.line.target()] && !changed[e.line.File] {
				changed[e.line.File], again = true, true
			}
		}
	}
	texts := map[string][]byte{}
	for _, f := range d.project.files {
		if changed[f.name] {
			texts[SuggestedName(f.name)] = d.suggested(f, changed)
		}
	}
	return texts
}

func (d *Diagnosis) suggested(f *file, changed map[string]bool) []byte {
	lines := strings.Split(f.text, "\n")
	var out []string
	next := 0
	put := func(e *entry, text string) {
		for _, finding := range e.findings() {
			out = append(out, "# "+finding.Text+": "+finding.Why)
		}
		if text != "" {
			out = append(out, text)
		}
	}
	for _, e := range d.entries {
		if e.line.File != f.name {
			continue
		}
		out = append(out, lines[next:e.line.First-1]...)
		next = e.line.Last
		switch {
		case e.changed:
			put(e, withComment(e.now, e.line.Comment))
		case e.line.Kind == Include && changed[e.line.target()]:
			option, _, _ := strings.Cut(e.line.Text, e.line.Path)
			out = append(out, withComment(option+SuggestedName(e.line.Path), e.line.Comment))
		default:
			out = append(out, lines[e.line.First-1:e.line.Last]...)
		}
		for _, a := range d.added {
			if a.line.File == f.name && a.line.First == e.line.First {
				put(a.entry, a.now)
			}
		}
	}
	out = append(out, lines[next:]...)
	end := "\n"
	if f.crlf {
		end = "\r\n"
	}
	return []byte(strings.Join(out, end))
}

func withComment(text, comment string) string {
	if text == "" || comment == "" {
		return text
	}
	return text + "  " + comment
}
