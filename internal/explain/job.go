package explain

import "strings"

// What a Job asks.
const (
	// Alone asks for each requirement whether it can be had by itself, for every
	// target, whatever it depends on.
	Alone = "alone"
	// Together asks whether requirements and constraints have a solution.
	Together = "together"
	// Versions asks for the versions of the project Name near Wanted that have a
	// wheel for every target.
	Versions = "versions"
)

// Job is a question for the package index.
type Job struct {
	Kind string `json:"kind"`
	// Requirements and Constraints are as in PEP 508, one each.
	Requirements []string `json:"requirements,omitempty"`
	Constraints  []string `json:"constraints,omitempty"`
	Name         string   `json:"name,omitempty"`
	Wanted       string   `json:"wanted,omitempty"`
	// Near holds, for each requirement of Alone, a project's name and the version
	// to find the nearest of, which may be empty.
	Near [][2]string `json:"near,omitempty"`
}

// Answer is what uv and pip said to a Job.
type Answer struct {
	// Late reports whether there was no time for the question.
	Late bool `json:"late,omitempty"`
	// Problems are those of Alone, Unasked the indexes of the requirements that
	// there was no time for.
	Problems []Problem `json:"problems,omitempty"`
	Unasked  []int     `json:"unasked,omitempty"`
	// Error is uv's text where Together has no solution; else Versions maps each
	// project of the solution to its versions, of which there are several where
	// markers distinguish them, and Via to what asked for it.
	Error    string              `json:"error,omitempty"`
	Versions map[string][]string `json:"versions,omitempty"`
	Via      map[string][]string `json:"via,omitempty"`
	Wheels
}

// Wheels are versions of a project close to a wanted one, the closest first: at
// most one before and one after it.
type Wheels struct {
	// Wheels have a wheel for every target, or if none has, for those in For.
	Wheels []string `json:"wheels,omitempty"`
	For    []string `json:"for,omitempty"`
}

// forAll reports whether there is a version for every target.
func (w Wheels) forAll() bool { return len(w.Wheels) > 0 && len(w.For) == 0 }

// nearest says which versions there are.
func (w Wheels) nearest() string {
	if len(w.For) > 0 {
		return nearest("with wheels for "+strings.Join(w.For, ", "), w.Wheels)
	}
	return nearest("with wheels for all", w.Wheels)
}

// Problem is what uv said of a requirement that cannot be had.
type Problem struct {
	// Index is that of the requirement in the Job.
	Index int `json:"index"`
	// Error is uv's text and Targets those that it is about.
	Error   string   `json:"error"`
	Targets []string `json:"targets"`
	// Nearest are versions close to the wanted one, the closest first: at most one
	// before and one after it.
	Nearest []string `json:"nearest,omitempty"`
	// Wheels are asked for only where the files are the problem.
	Wheels
	// Late reports whether there was no time to look for other versions.
	Late bool `json:"late,omitempty"`
}

// noTime is said in place of the versions that there was no time to look for.
const noTime = "there was no time to look for another version"

// near says which versions there are, with wheels or at all.
func (p Problem) near(what string, files bool) string {
	switch {
	case p.Late:
		return noTime
	case files:
		return p.nearest()
	}
	return nearest(what, p.Nearest)
}
