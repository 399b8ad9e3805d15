package explain

import (
	"fmt"
	"strings"
)

// Finding is a line that keeps a file from being locked, and why.
type Finding struct {
	// File and Line say where, the line from 1.
	File string
	Line int
	// Text is the line without its comment, and without credentials.
	Text string
	// Why is what is wrong, and where possible what would do, in one line.
	Why string
}

// String is the finding in one line: "requirements.txt: line 3: logging: part of
// Python, remove it".
func (f Finding) String() string {
	if f.Text == "" {
		return fmt.Sprintf("%s: line %d: %s", f.File, f.Line, f.Why)
	}
	return fmt.Sprintf("%s: line %d: %s: %s", f.File, f.Line, f.Text, f.Why)
}

// entry is a line and what is to become of it.
type entry struct {
	line Line
	// now is the requirement as it is asked for at present; empty is none.
	now string
	// changed reports whether now differs from the line for a reason of why; a line
	// that asks for nothing is left as it is.
	changed bool
	why     []string
	// warnings are what does not keep the line from being locked.
	warnings []string
	// kept are the options that stay of a line of settings that is changed.
	kept []string
	// of is the requirement that these options belong to, where the backslash between the
	// lines is missing.
	of *entry
	// alone reports whether now was found to exist; tries is how often it did not.
	alone bool
	tries int
	// partial reports whether a finding says already that now can be had for some targets
	// only.
	partial bool
	// loose reports whether the versions were dropped, to be set when a solution is known.
	loose bool
}

func (e *entry) change(now, why string, args ...any) {
	e.now, e.changed, e.alone = now, true, false
	e.why = append(e.why, fmt.Sprintf(why, args...))
}

func (e *entry) warn(why string, args ...any) {
	e.warnings = append(e.warnings, fmt.Sprintf(why, args...))
}

func (e *entry) findings() []Finding {
	var all []Finding
	for _, why := range e.why {
		all = append(all, e.finding(why))
	}
	return all
}

func (e *entry) finding(why string) Finding {
	return Finding{e.line.File, e.line.First, short(Mask(e.line.Text), 80), short(Mask(why), 400)}
}

// short returns text in one line of about limit bytes.
func short(text string, limit int) string {
	text = strings.Join(strings.Fields(text), " ")
	if len(text) <= limit {
		return text
	}
	return strings.ToValidUTF8(text[:limit-3], "") + "..."
}
