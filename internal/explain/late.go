package explain

import (
	"fmt"
	"slices"
	"strings"
)

// Stop ends the diagnosis with what is known by now. Unseen says what is not.
func (d *Diagnosis) Stop() {
	if d.asking == askAlone {
		if _, more := d.alone(); more {
			d.unasked = append(d.unasked, d.about...)
		}
	}
	d.untried = d.asking == askNothing
	d.stop()
}

func (d *Diagnosis) stop() {
	d.unsolved = d.unsolved || d.asking != askNothing
	d.asking = askNothing
	for _, a := range d.added { // what was about to be looked for
		if a.now == "" && a.tries == 0 {
			a.tries++
			a.why[0] += "; " + noTime
		}
	}
}

// late takes answers of which the last came too late, and ends the diagnosis.
func (d *Diagnosis) late(answers []Answer) {
	done := len(answers)
	for done > 0 && answers[done-1].Late {
		done--
	}
	switch d.asking {
	case askWheels:
		d.takeWheels(answers[:done])
	case askLoose: // that they contradict each other is known
		d.takeLoosened(answers[:done])
	}
	d.Stop()
}

// others says for which targets a package can be had, when those that are lacking are
// left out.
func (d *Diagnosis) others(lacking []string) string {
	rest := slices.DeleteFunc(slices.Clone(d.targets), func(t string) bool { return slices.Contains(lacking, t) })
	return "; this one can be had with --target " + strings.Join(rest, ",")
}

// Unseen says in a few words what there was no time to look at, or nothing.
func (d *Diagnosis) Unseen() string {
	var what []string
	for _, f := range d.project.files {
		var lines []string
		for _, e := range d.unasked {
			if e.line.File == f.name && !e.changed {
				lines = append(lines, fmt.Sprint(e.line.First))
			}
		}
		switch {
		case len(lines) == 1:
			what = append(what, "line "+lines[0]+" of "+f.name)
		case len(lines) > 1:
			what = append(what, "lines "+strings.Join(lines, ", ")+" of "+f.name)
		}
	}
	if d.unsolved {
		what = append(what, "whether all requirements go together")
	}
	if d.untried {
		what = append(what, "whether the corrected list can be locked")
	}
	return strings.Join(what, "; ")
}
