package explain

import (
	"fmt"
	"slices"
)

// frozen are what "pip freeze" writes of the environment itself. An image has no
// use for them unless a package imports them.
var frozen = []string{"distribute", "pip", "pkg-resources", "setuptools", "wheel"}

// nowhere are those of frozen that no index has for Python 3.
var nowhere = []string{"distribute", "pkg-resources"}

// Leftovers returns the names of what a list has from "pip freeze" alone, such as
// pip itself; none of a list that a person wrote, in which not every line is a pin.
func (p *Project) Leftovers() []string {
	var names []string
	others := false
	for l := range p.requirements() {
		if _, pinned := l.pinned(); !pinned {
			return nil
		}
		if slices.Contains(frozen, l.Name) {
			names = append(names, l.Name)
		} else {
			others = true
		}
	}
	if !others {
		return nil // it was meant
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Written maps the normalised name of each project that the list asks for to how
// it asks for it, with all extras and without versions: "uvicorn[standard]".
func (p *Project) Written() map[string]string {
	extras := map[string]string{}
	for l := range p.requirements() {
		extras[l.Name] = joinExtras(extras[l.Name], l.Extras)
	}
	written := map[string]string{}
	for name, list := range extras {
		written[name] = name
		if list != "" {
			written[name] += "[" + list + "]"
		}
	}
	return written
}

// At says where the list asks for a project: "requirements.txt: line 3: flask==2.0";
// empty if it does not.
func (p *Project) At(name string) string {
	for l := range p.requirements() {
		if l.Name == name {
			return fmt.Sprintf("%s: line %d: %s", l.File, l.First, short(Mask(l.Text), 80))
		}
	}
	return ""
}

// requirements yields the lines that ask for a project of the index.
func (p *Project) requirements() func(yield func(Line) bool) {
	return func(yield func(Line) bool) {
		for _, f := range p.files {
			for _, l := range f.lines {
				if l.Kind == Requirement && !l.Constraint && !l.void() && !yield(l) {
					return
				}
			}
		}
	}
}
