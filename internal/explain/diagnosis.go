package explain

import (
	"slices"
	"strings"

	"github.com/lucid-project/base-images/internal/names"
)

// Diagnosis finds out what is wrong with a project: it hands out Jobs, takes their
// Answers, and has no more jobs when it knows.
type Diagnosis struct {
	project *Project
	targets []string
	entries []*entry
	added   []addition
	// asking is the question that waits for its answer, about the entries that it is on.
	asking asking
	about  []*entry
	// conflict is what uv said of the entries in about.
	conflict conflict
	rounds   int
	// via is what asked for each package of the last solution.
	via         map[string][]string
	unexplained string
	// What there was no time for: unasked are entries; unsolved reports whether it was to
	// ask if all go together, untried whether it was to lock what is corrected.
	unasked           []*entry
	unsolved, untried bool
}

type asking int

const (
	askAlone asking = iota
	askTogether
	askLoose
	askWheels
	askNothing
)

// addition is a requirement that the user has to add, for a line of theirs.
type addition struct {
	*entry
	name, wanted string
	// lacking are the targets that the package cannot be had for.
	lacking []string
}

// maxRounds bounds how many contradictions are looked into: each takes two asks.
const maxRounds = 12

// Diagnose begins with what can be seen without asking anybody. targets are
// those of lock.WheelTargets that the packages are for.
func Diagnose(p *Project, targets []string) *Diagnosis {
	d := &Diagnosis{project: p, targets: targets, entries: p.entries()}
	for _, e := range d.entries {
		if slices.Contains(nowhere, e.line.Name) && slices.Contains(p.Leftovers(), e.line.Name) {
			e.now = ""
		}
	}
	return d
}

// Findings are those so far, in the order of the files.
func (d *Diagnosis) Findings() []Finding {
	all := findings(d.entries)
	for _, a := range d.added {
		all = append(all, a.findings()...)
	}
	order := map[string]int{}
	for i, f := range d.project.files {
		order[f.name] = i
	}
	slices.SortStableFunc(all, func(a, b Finding) int {
		if a.File != b.File {
			return order[a.File] - order[b.File]
		}
		return a.Line - b.Line
	})
	return all
}

// Unexplained is what uv said, in one line, when nothing more could be made of
// it: the network's errors, for one.
func (d *Diagnosis) Unexplained() string { return d.unexplained }

// GiveUp ends the diagnosis with an error that nothing can be made of.
func (d *Diagnosis) GiveUp(said string) {
	d.unexplained, d.asking = short(Mask(said), 400), askNothing
}

// live returns the requirements and constraints as they are at present.
func (d *Diagnosis) live() (reqs, cons []string) {
	for _, e := range d.entries {
		switch {
		case e.now == "":
		case e.line.Constraint:
			cons = append(cons, e.now)
		default:
			reqs = append(reqs, e.now)
		}
	}
	for _, a := range d.added {
		if a.now != "" {
			reqs = append(reqs, a.now)
		}
	}
	return reqs, cons
}

// Jobs returns what to ask next; none when the diagnosis is done. Every Take of
// their answers, in the same order, may lead to others.
func (d *Diagnosis) Jobs() []Job {
	switch d.asking {
	case askAlone:
		if job, ok := d.alone(); ok {
			return []Job{job}
		}
		d.asking = askTogether
		fallthrough
	case askTogether:
		reqs, cons := d.live()
		if len(reqs) == 0 {
			d.asking = askNothing
			return nil
		}
		return []Job{{Kind: Together, Requirements: reqs, Constraints: cons}}
	case askLoose:
		return d.loosened()
	case askWheels:
		var jobs []Job
		for _, a := range d.added {
			if a.now == "" && a.tries == 0 {
				jobs = append(jobs, Job{Kind: Versions, Name: a.name, Wanted: a.wanted})
			}
		}
		return jobs
	}
	return nil
}

// Take takes the answers to the last Jobs.
func (d *Diagnosis) Take(answers []Answer) {
	if len(answers) > 0 && answers[len(answers)-1].Late {
		d.late(answers)
		return
	}
	switch d.asking {
	case askAlone:
		d.takeAlone(answers[0])
	case askTogether:
		d.takeTogether(answers[0])
	case askLoose:
		d.takeLoosened(answers)
	case askWheels:
		d.takeWheels(answers)
	}
}

// alone asks for what has not been found to exist yet.
func (d *Diagnosis) alone() (Job, bool) {
	d.about = nil
	job := Job{Kind: Alone}
	for _, e := range d.entries {
		if e.now == "" || e.alone || e.line.Constraint {
			continue
		}
		d.about = append(d.about, e)
		job.Requirements = append(job.Requirements, e.now)
		now := parseLine(e.now, nil)
		job.Near = append(job.Near, [2]string{now.Name, now.wanted()})
	}
	return job, len(d.about) > 0
}

// maxTries bounds how often a line's replacement is replaced.
const maxTries = 3

func (d *Diagnosis) takeAlone(a Answer) {
	failed := map[int]bool{}
	for _, p := range a.Problems {
		if p.Index < 0 || p.Index >= len(d.about) {
			continue
		}
		failed[p.Index] = true
		e := d.about[p.Index]
		e.tries++
		v, ok := judge(e.line, parseLine(e.now, nil), p, forbidden{d.forbidsWheels(e.line.Name), d.Forbids(e.line.Name)})
		switch {
		case !ok:
			d.GiveUp(p.Error)
		case e.tries > maxTries:
			e.now = ""
		case v.files && len(p.Targets) < len(d.targets) && !p.forAll():
			// For the other targets it is what is wanted.
			if !e.partial {
				e.change(e.now, "%s%s", v.why, d.others(p.Targets))
			}
			e.alone, e.partial, failed[p.Index] = true, true, false
		default:
			e.change(v.now, "%s", v.why)
			e.partial = v.files && !p.forAll() // reported now, and not again of the next version
			if v.rename != "" {
				e.line.Written, e.line.Name = v.rename, names.Normalize(v.rename)
			}
		}
	}
	for i, e := range d.about {
		e.alone = e.alone || !failed[i]
	}
	for _, i := range a.Unasked {
		if i >= 0 && i < len(d.about) {
			d.unasked = append(d.unasked, d.about[i])
		}
	}
	if len(a.Unasked) > 0 {
		d.stop()
	}
}

// Blame notes that a package that the project asks for, itself or through
// others, cannot be had for some targets, and what would do is asked next. It is
// called when a solution turned out to be of no use, and reports whether there is
// anything new in that.
func (d *Diagnosis) Blame(name, version string, targets []string, why string) bool {
	name = names.Normalize(name)
	for _, a := range d.added {
		if a.name == name {
			return false
		}
	}
	e := d.owner(name, map[string]bool{})
	if e == nil {
		d.GiveUp(name + " " + version + ": " + why)
		return false
	}
	switch {
	case e.line.Name == name && e.partial:
		return false
	case e.line.Name == name && parseLine(e.line.Text, nil).Name != name:
		why = name + " " + version + ": " + why // the line was corrected to this
	case e.line.Name != name:
		why = "it needs " + name + " " + version + ": " + why
	}
	if same := asWheels[name]; same != "" {
		why += " (" + same + " is the same, published as wheels)"
	}
	d.added = append(d.added, addition{
		entry: &entry{line: e.line, why: []string{why}}, name: name, wanted: version, lacking: targets,
	})
	d.asking = askWheels
	return true
}

// asWheels are projects that publish the wheels of one that is a source alone, in the
// same versions.
var asWheels = map[string]string{"psycopg2": "psycopg2-binary"}

// owner finds the line that asks for a package, itself or through others.
func (d *Diagnosis) owner(name string, seen map[string]bool) *entry {
	seen[name] = true
	for _, e := range d.entries {
		if e.line.Name == name && e.now != "" && !e.line.Constraint {
			return e
		}
	}
	for _, parent := range d.via[name] {
		if !seen[parent] {
			if e := d.owner(parent, seen); e != nil {
				return e
			}
		}
	}
	return nil
}

// takeWheels puts the nearest version with wheels for all targets in the place
// of what cannot be had, or beside the line that asks for it.
func (d *Diagnosis) takeWheels(answers []Answer) {
	d.asking = askTogether
	for _, a := range d.added {
		if a.now != "" || a.tries > 0 || len(answers) == 0 {
			continue
		}
		near := answers[0].Wheels
		answers = answers[1:]
		a.tries++
		a.why[0] += "; " + near.nearest()
		everywhere := len(a.lacking) >= len(d.targets)
		if !everywhere {
			a.why[0] += d.others(a.lacking)
		}
		own := d.owner(a.name, map[string]bool{})
		switch direct := own != nil && own.line.Name == a.name; {
		case !everywhere && !near.forAll():
		case direct && len(near.Wheels) > 0:
			own.now = own.line.requirement("==" + near.Wheels[0])
		case direct && asWheels[a.name] != "":
			own.line.Written, own.line.Name = asWheels[a.name], asWheels[a.name]
			own.now, d.asking = own.line.requirement(own.line.Spec), askAlone
		case direct:
			own.now = ""
		case len(near.Wheels) > 0:
			a.now = a.name + "==" + near.Wheels[0]
		}
		if own != nil && (own.line.Name == a.name || own.line.Name == asWheels[a.name]) {
			own.changed, own.alone = true, own.line.Name == a.name
			own.why, a.why = append(own.why, a.why...), nil
		}
	}
}

// nearest says which versions are there in place of one that is not; what
// narrows them down.
func nearest(what string, versions []string) string {
	if what != "" {
		what = " " + what
	}
	switch len(versions) {
	case 0:
		return "no version is there" + what
	case 1:
		return "the nearest" + what + " is " + versions[0]
	}
	return "the nearest" + what + " are " + strings.Join(versions, " and ")
}
