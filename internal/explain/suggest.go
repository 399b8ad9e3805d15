package explain

import (
	"path"
	"slices"
	"strings"

	"golang.org/x/text/encoding"
)

// SuggestedName is where the corrected form of a file goes: beside it, as
// "requirements.suggested.txt".
func SuggestedName(name string) string {
	ext := path.Ext(name)
	return strings.TrimSuffix(name, ext) + ".suggested" + ext
}

// Suggested returns the corrected text of the project's first file and of what has
// to change with it, by SuggestedName. Each change has a comment above it, and
// all else is as it was; the text is UTF-8. Of a project without findings it is the
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
	lines := strings.Split(asUTF8(f.text), "\n")
	var out []string
	next := 0
	put := func(e *entry, text string) {
		for _, finding := range e.findings() {
			out = append(out, said(finding))
		}
		if text != "" {
			out = append(out, strings.Split(text, "\n")...)
		}
	}
	begin, end := map[*entry]int{}, map[*entry]int{}
	for _, e := range d.entries {
		if e.line.File != f.name {
			continue
		}
		out = append(out, lines[next:e.line.First-1]...)
		next = e.line.Last
		begin[e] = len(out)
		switch {
		case e.of != nil && !e.of.changed:
			out = rejoined(out, begin[e.of], end[e.of], e, lines[e.line.First-1:e.line.Last])
		case e.changed:
			put(e, withComment(e.text(), e.line.Comment))
		case e.line.Kind == Include && changed[e.line.target()]:
			out = append(out, withComment(e.line.renamed(), e.line.Comment))
		default:
			out = append(out, lines[e.line.First-1:e.line.Last]...)
		}
		end[e] = len(out)
		for _, a := range d.added {
			if a.line.File == f.name && a.line.First == e.line.First {
				put(a.entry, a.now)
			}
		}
	}
	out = append(out, lines[next:]...)
	ends := "\n"
	if f.crlf {
		ends = "\r\n"
	}
	return []byte(strings.Join(out, ends))
}

func withComment(text, comment string) string {
	if text == "" || comment == "" {
		return text
	}
	return text + "  " + comment
}

// asUTF8 names the encoding that the text is written in.
func asUTF8(text string) string {
	if m := coding.FindStringSubmatchIndex(text); m != nil && byName(text[m[2]:m[3]]) != encoding.Nop {
		return text[:m[2]] + "utf-8" + text[m[3]:]
	}
	return text
}

// said is a finding as a comment.
func said(f Finding) string {
	if f.Text == "" {
		return "# " + f.Why
	}
	return "# " + f.Text + ": " + f.Why
}

// rejoined puts a line that lacked its backslash behind the requirement that it
// belongs to, and what was said of it above both.
func rejoined(out []string, begin, end int, e *entry, own []string) []string {
	last := strings.TrimSuffix(strings.TrimSpace(out[end-1]), e.of.line.Comment)
	out[end-1] = strings.TrimRight(last, " \t") + ` \`
	out = slices.Insert(out, end, own...)
	for _, finding := range slices.Backward(e.findings()) {
		out = slices.Insert(out, begin, said(finding))
	}
	return out
}

// renamed is an include of the corrected file.
func (l Line) renamed() string {
	if strings.TrimRight(path.Ext(l.Text), `"'`) != path.Ext(l.Path) { // a variable has it
		return l.Options[0].Name + " " + SuggestedName(l.Path)
	}
	return SuggestedName(l.Text)
}

// same reports whether what is asked for is still the version that the line has,
// and so its hashes.
func (e *entry) same() bool {
	now := parseLine(e.now, nil)
	return e.now != "" && now.Name == e.line.Name && now.Spec == e.line.Spec
}

// text is what stays of a changed line.
func (e *entry) text() string {
	if e.line.Kind == Setting {
		return strings.Join(e.kept, " ")
	}
	if _, pinned := e.line.pinned(); !pinned || !e.same() || len(e.line.sha256()) == 0 {
		return e.now
	}
	text := e.now
	for _, h := range e.line.Hashes {
		text += " \\\n    --hash=" + h
	}
	return text
}
