package explain

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/lucid-project/base-images/lucidbase/lock"
)

// entries returns every line with what can be seen without the index.
func (p *Project) entries() []*entry {
	var all []*entry
	for _, f := range p.files {
		if f.problem != "" {
			e := &entry{line: Line{File: f.name, First: 1, Kind: Setting}}
			e.change("", "%s", f.problem)
			all = append(all, e)
		}
		var before *entry
		for _, l := range f.lines {
			e := &entry{line: l}
			e.check()
			e.settings(p.getenv)
			e.continues(before)
			all, before = append(all, e), e
		}
	}
	checkPins(all)
	p.checkHashes(all)
	return all
}

// Findings are those that can be seen without asking anybody. A file that has
// any is not to be resolved: a name of the standard library must not reach the
// index, nor an address of a line a graph.
func (p *Project) Findings() []Finding { return findings(p.entries()) }

// Warnings are about lines that can be locked, but perhaps not as they were meant.
func (p *Project) Warnings() []Finding {
	var all []Finding
	for _, e := range p.entries() {
		for _, why := range e.warnings {
			all = append(all, e.finding(why))
		}
	}
	return all
}

func findings(entries []*entry) []Finding {
	var all []Finding
	for _, e := range entries {
		all = append(all, e.findings()...)
	}
	return all
}

// condaBuild is where conda's own builders have unpacked a project; "pip freeze"
// writes the path.
var condaBuild = regexp.MustCompile(`(?:/croot/|/conda-bld/|/feedstock_root/|/tmp/build/|/ci/|/home/conda/|/Users/runner/miniforge|[a-z]:[\\/](?:b|ci)[\\/])`)

// check sets what is known of a line by itself.
func (e *entry) check() {
	l := e.line
	switch {
	case l.Written != "" && InStandardLibrary(l.Written) && !backports[l.Name] && !l.void() && (l.Kind != Broken || l.Remedy != ""):
		e.change("", "part of Python, remove it")
	case l.Kind == Broken:
		e.change("", "not a requirement: %s", meant(l.Problem, l.Remedy))
		// What was meant may be wrong in other ways.
		if again := parseLine(l.Remedy, nil); again.Kind == Requirement {
			again.File, again.First, again.Last, again.Text, again.Comment = l.File, l.First, l.Last, l.Text, l.Comment
			e.line, e.now = again, again.requirement(again.Spec)
		}
	case l.Kind == Include && l.Problem != "":
		e.change("", "%s", l.Problem)
	case l.Kind == Direct:
		e.change("", "an address has no hash to lock: name a released version")
	case l.Kind == Local && l.Written != "" && condaBuild.MatchString(l.Text):
		e.change(l.Written, "a path of the machine where conda made the package: name a version")
	case l.Kind == Local:
		e.change("", "files of this machine cannot be locked: copy them in as the service's source")
	case l.Kind == Requirement && !l.void():
		e.requirement()
	}
}

// requirement sets what is known of a requirement that can be read.
func (e *entry) requirement() {
	l := &e.line
	if l.Constraint && l.Extras != "" {
		l.Extras = ""
		e.change(l.requirement(l.Spec), "a constraint has no extras")
	}
	e.now = l.requirement(l.Spec)
	if backports[l.Name] {
		e.warn("a backport of a module that Python " + lock.PythonMinor + " has: it is installed, and never used")
	}
	if l.OptionProblem != "" {
		e.change(e.now, "%s", l.OptionProblem)
	}
	for _, o := range l.Options {
		if r := rules[o.Name]; r.role == refused {
			e.change(e.now, "%s: %s", o.Name, r.says)
		}
	}
	if _, pinned := l.pinned(); len(l.Hashes) > 0 && !pinned {
		e.change(e.now, "a hash is of one version: pin it with ==")
	} else if len(l.Hashes) > 0 && len(l.sha256()) == 0 {
		e.change(e.now, "a lock has SHA-256 hashes: name those of its files")
	}
}

func meant(problem, remedy string) string {
	if remedy == "" || strings.HasPrefix(problem, "the variable ") {
		return problem
	}
	return fmt.Sprintf("%s, probably %s", problem, remedy)
}

// checkPins finds projects that are pinned twice; the last pin stays, with the
// extras of all.
func checkPins(entries []*entry) {
	last := map[string]*entry{}
	for _, e := range slices.Backward(entries) {
		version, ok := e.line.pinned()
		if e.now == "" || e.line.Kind != Requirement || e.line.Constraint || !ok {
			continue
		}
		key := e.line.Name + ";" + strings.Join(strings.Fields(e.line.Marker), "")
		kept := last[key]
		if kept == nil {
			last[key] = e
			continue
		}
		if other, _ := kept.line.pinned(); other == version {
			continue
		}
		e.change("", "pinned again on %s, as %s: keep one", e.beside(kept), kept.line.Spec)
		if extras := joinExtras(kept.line.Extras, e.line.Extras); extras != kept.line.Extras {
			kept.line.Extras = extras
			kept.change(kept.line.requirement(kept.line.Spec), "the extras of %s belong here", kept.beside(e))
		}
	}
}

func joinExtras(a, b string) string {
	all := strings.FieldsFunc(a+","+b, func(r rune) bool { return r == ',' })
	slices.Sort(all)
	return strings.Join(slices.Compact(all), ",")
}

// beside says where another line is, as seen from this one.
func (e *entry) beside(other *entry) string {
	if e.line.File == other.line.File {
		return fmt.Sprintf("line %d", other.line.First)
	}
	return fmt.Sprintf("%s line %d", other.line.File, other.line.First)
}
