package explain

import (
	"fmt"
	"strings"

	"github.com/lucid-project/base-images/internal/names"
)

// takeTogether looks for the lines that contradict each other when there is no
// solution.
func (d *Diagnosis) takeTogether(a Answer) {
	if a.Error == "" {
		d.solved(a)
		return
	}
	if d.unbuilt(a.Error) {
		return
	}
	own := map[string]bool{}
	for _, e := range d.entries {
		own[e.line.Name] = own[e.line.Name] || e.now != ""
	}
	d.conflict = parseConflict(a.Error, own)
	d.about = nil
	for _, e := range d.entries {
		if e.now != "" && d.conflict.names[e.line.Name] && parseLine(e.now, nil).Spec != "" {
			d.about = append(d.about, e)
		}
	}
	d.rounds++
	if len(d.about) == 0 || d.rounds > maxRounds {
		d.GiveUp(a.Error)
		return
	}
	d.asking = askLoose
}

// unbuilt deals with a source that uv cannot build to learn what it depends on:
// there may be a version with wheels, or a project of a better name.
func (d *Diagnosis) unbuilt(text string) bool {
	m := failedBuild.FindStringSubmatch(text)
	if m == nil {
		return false
	}
	name, version, _ := strings.Cut(m[1], "==")
	if meant := didYouMean.FindStringSubmatch(text); meant != nil {
		for _, e := range d.entries {
			if e.line.Name == names.Normalize(name) && e.now != "" {
				e.change(meant[1], "it cannot be had; uv asks: did you mean %s?", meant[1])
				e.line.Written, e.line.Name = meant[1], names.Normalize(meant[1])
				d.asking = askAlone
				return true
			}
		}
	}
	for _, m := range included.FindAllStringSubmatch(text, -1) {
		d.noteVia(m[1], m[2])
	}
	return d.Blame(name, version, d.targets, "its source cannot be built: "+buildCause(text))
}

func (d *Diagnosis) noteVia(name, parent string) {
	if d.via == nil {
		d.via = map[string][]string{}
	}
	name = names.Normalize(name)
	d.via[name] = append(d.via[name], names.Normalize(parent))
}

// loosened asks for a solution without the versions of each line that takes part
// in the contradiction.
func (d *Diagnosis) loosened() []Job {
	var jobs []Job
	for _, e := range d.about {
		now := e.now
		e.now = e.freed()
		reqs, cons := d.live()
		e.now = now
		jobs = append(jobs, Job{Kind: Together, Requirements: reqs, Constraints: cons})
	}
	return jobs
}

// freed returns the requirement without its versions; empty for a constraint, which
// then constrains nothing.
func (e *entry) freed() string {
	if e.line.Constraint {
		return ""
	}
	return e.line.requirement("")
}

// takeLoosened drops the versions of the line that has to change least: the
// one whose new version is closest to the old one, or which another one depends
// on, or the last.
func (d *Diagnosis) takeLoosened(answers []Answer) {
	best, rank := -1, -1
	for i, e := range d.about {
		r := 0
		if i < len(answers) && answers[i].Error == "" {
			r = 100 + 10*min(alike(parseLine(e.now, nil).wanted(), only(answers[i].Versions[e.line.Name])), 8)
		}
		if d.conflict.needed(e.line.Name) {
			r++
		}
		if r >= rank {
			best, rank = i, r
		}
	}
	e := d.about[best]
	var others []string
	for _, other := range d.about {
		if other != e {
			others = append(others, fmt.Sprintf("%s on %s", other.now, e.beside(other)))
		}
	}
	why := "it cannot be met: " + d.conflict.short()
	if len(others) > 0 {
		why = fmt.Sprintf("it contradicts %s: %s", strings.Join(others, " and "), d.conflict.short())
	}
	e.change(e.freed(), "%s", why)
	e.loose, e.alone = true, true
	switch {
	case best >= len(answers): // there was no time for it
		d.asking = askTogether
	case rank >= 100:
		d.solved(answers[best])
	default: // what is asked next was asked just now
		d.takeTogether(answers[best])
	}
}

// solved ends the asking with a solution: versions that were given up become
// those of the solution.
func (d *Diagnosis) solved(a Answer) {
	d.via, d.asking = a.Via, askNothing
	for _, e := range d.entries {
		version := only(a.Versions[e.line.Name])
		if !e.loose || version == "" {
			continue
		}
		e.loose = false
		e.why[len(e.why)-1] += fmt.Sprintf("; %s fits", version)
		if e.now != "" {
			e.now = e.line.requirement("==" + version)
		}
	}
}

// only returns the version of a project that has just one.
func only(versions []string) string {
	if len(versions) != 1 {
		return ""
	}
	return versions[0]
}

// alike counts the parts that two versions begin with in common.
func alike(a, b string) int {
	as, bs := strings.Split(a, "."), strings.Split(b, ".")
	n := 0
	for n < min(len(as), len(bs)) && as[n] == bs[n] {
		n++
	}
	return n
}
