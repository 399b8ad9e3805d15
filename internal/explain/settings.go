package explain

import (
	"fmt"
	"slices"
	"strings"
)

// settings are what a project says for all of its lines.
type settings struct {
	formats, releases control
	// required and implied are the lines that say that every package needs a hash,
	// and that a hash of one does not mean that.
	required, implied *Line
}

// The options of settings' controls, in their order.
var (
	formatOptions  = []string{"--no-binary", "--only-binary"}
	releaseOptions = []string{"--all-releases", "--only-final"}
)

// settle takes the settings of a file, in the order in which pip reads them.
func (p *Project) settle(f *file, seen map[*file]bool) {
	if f == nil || seen[f] {
		return
	}
	seen[f] = true
	for i := range f.lines {
		l := &f.lines[i]
		if l.Kind == Include {
			p.settle(p.find(l.target()), seen)
		}
		if l.Kind != Setting {
			continue
		}
		for _, o := range l.Options {
			p.settings.set(o, l)
		}
	}
}

func (s *settings) set(o Option, l *Line) {
	switch o.Name {
	case "--no-binary", "--only-binary":
		s.formats.add(slices.Index(formatOptions, o.Name), o.Value, *l)
	case "--all-releases", "--only-final":
		s.releases.add(slices.Index(releaseOptions, o.Name), o.Value, *l)
	case "--pre":
		s.releases.init()
		s.releases[0][everything] = *l // beside what is named, unlike --all-releases
	case "--require-hashes":
		s.required = l
	case "--no-require-hashes":
		s.implied = l
	}
}

// settings sets what is known of the options of a line for the whole list.
func (e *entry) settings(getenv func(string) string) {
	if e.line.Kind != Setting {
		return
	}
	for _, o := range e.line.Options {
		r := rules[o.Name]
		prefix := ""
		if len(e.line.Options) > 1 {
			prefix = o.Name + ": "
		}
		switch r.role {
		case refused:
			e.change("", "%s%s", prefix, r.says)
		case place:
			e.place(o, prefix, getenv)
		case ignored:
			e.warn("%s%s", prefix, r.says)
			e.keep(o)
		case choice, mode:
			e.keep(o)
		}
	}
}

func (e *entry) keep(o Option) {
	e.kept = append(e.kept, strings.TrimSpace(o.Name+" "+o.Value))
}

// continues deals with options that belong to the requirement on the line before,
// which lacks its backslash.
func (e *entry) continues(before *entry) {
	l := &e.line
	if l.Kind != Setting || !slices.ContainsFunc(l.Options, func(o Option) bool { return slices.Contains(ofRequirement, o.Name) }) {
		return
	}
	if before == nil || before.line.Kind != Requirement || len(l.Hashes) != len(l.Options) {
		e.change("", "%s stands behind a requirement, on its line", l.Options[0].Name)
		return
	}
	e.of = before
	e.change("", "end line %d with a backslash: this belongs to it", before.line.Last)
	before.line.Hashes = append(slices.Clone(before.line.Hashes), l.Hashes...)
}

// checkHashes finds the requirements without a hash where one has or all need it.
func (p *Project) checkHashes(entries []*entry) {
	hashed, first := map[string]bool{}, (*entry)(nil)
	for _, e := range entries {
		if e.now != "" && len(e.line.sha256()) > 0 {
			hashed[e.line.Name] = true
		}
	}
	var lacking []string
	for _, e := range entries {
		if e.now == "" || e.line.Kind != Requirement || e.line.Constraint || hashed[e.line.Name] {
			continue
		}
		if lacking = append(lacking, fmt.Sprintf("%s on line %d", e.line.Written, e.line.First)); first == nil {
			first = e
		}
	}
	switch {
	case first == nil:
	case p.settings.required != nil:
		for _, e := range entries {
			if r := p.settings.required; e.line.File == r.File && e.line.First == r.First && e.line.Text != "" {
				e.change("", "no hash for %s", list(lacking))
				e.kept = slices.DeleteFunc(e.kept, func(o string) bool { return o == "--require-hashes" })
			}
		}
	case len(hashed) > 0 && p.settings.implied == nil:
		first.warn("it has no hash, and other lines have: pip would refuse the list; the lock takes the index's word for %s", list(lacking))
	}
}

// list names the first of several.
func list(names []string) string {
	const most = 3
	if len(names) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
	}
	return strings.Join(names, ", ")
}
