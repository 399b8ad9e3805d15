package explain

import (
	"maps"
	"slices"
	"strings"
)

// Query is what a project asks for, to be resolved.
type Query struct {
	// Requirements and Constraints are as in PEP 508, one each.
	Requirements, Constraints []string
	// NoBinary and OnlyBinary are projects for which no wheel and nothing but
	// wheels may be taken, AllReleases and OnlyFinal those for which pre-releases
	// may be taken and may not. Each is a normalised name, or ":all:", which the
	// names of the other list are excepted from.
	NoBinary, OnlyBinary, AllReleases, OnlyFinal []string
	// Pins have the hashes that the project names.
	Pins []Pin
	// Required is the line that says that every package needs a hash, or nil.
	Required *Line
}

// Pin is a version of a project and hashes that a line has for it.
type Pin struct {
	Name, Version string
	// Hashes are "sha256:" and the digits; a file with any of them will do.
	Hashes []string
	Line   Line
}

// Text is the input as a requirements file and its constraints.
func (i Query) Text() (requirements, constraints string) {
	lines := func(list []string) string { return strings.Join(append(slices.Clone(list), ""), "\n") }
	return lines(i.Requirements), lines(i.Constraints)
}

// Finding is what is said of the pin's line.
func (p Pin) Finding(why string) Finding { return (&entry{line: p.Line}).finding(why) }

// Query returns what the project asks for, in lines without findings.
func (p *Project) Query() Query { return Diagnose(p, nil).Query() }

// Query returns what is left to resolve when what the findings name is corrected.
func (d *Diagnosis) Query() Query {
	s := &d.project.settings
	names := func(m map[string]Line) []string { return slices.Sorted(maps.Keys(m)) }
	in := Query{
		NoBinary: names(s.formats[0]), OnlyBinary: names(s.formats[1]),
		AllReleases: names(s.releases[0]), OnlyFinal: names(s.releases[1]),
		Required: s.required,
	}
	in.Requirements, in.Constraints = d.live()
	for _, e := range d.entries {
		version, pinned := e.line.pinned()
		if hashes := e.line.sha256(); pinned && len(hashes) > 0 && e.same() {
			in.Pins = append(in.Pins, Pin{e.line.Name, version, hashes, e.line})
		}
	}
	return in
}

// Forbids says which line keeps a package from being compiled from its source, or
// nothing.
func (d *Diagnosis) Forbids(name string) string {
	if from, ok := d.project.settings.formats.of(1, name); ok {
		return d.place(from) + " forbids to compile it"
	}
	for _, e := range d.entries {
		if e.line.Name == name && len(e.line.sha256()) > 0 && e.same() {
			return "the hashes on " + d.place(e.line) + " are of no source"
		}
	}
	return ""
}

func (d *Diagnosis) forbidsWheels(name string) string {
	if from, ok := d.project.settings.formats.of(0, name); ok {
		return d.place(from) + " forbids its wheels"
	}
	return ""
}

// place says where a line is, as seen from the project's first file.
func (d *Diagnosis) place(l Line) string {
	return (&entry{line: Line{File: d.project.files[0].name}}).beside(&entry{line: l})
}
