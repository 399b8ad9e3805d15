package resolve

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/lucid-project/base-images/internal/stage"
	"github.com/lucid-project/base-images/lucidbase/lock"
)

// Locked is a resolved list of packages, and what there is to know about it.
type Locked struct {
	lock.Packages
	// Warnings are uv's: of versions that were yanked, of extras that are not there.
	Warnings []string
	// Dropped are those of Request.Leftovers that nothing needs.
	Dropped []string
	// Refused are the packages that no image may have.
	Refused []Refused
}

// NoSolutionError says that a list of packages has no solution.
type NoSolutionError struct {
	// Said is what uv wrote to its standard error, as it is.
	Said string
}

// Error returns uv's words in one line.
func (e *NoSolutionError) Error() string { return strings.Join(strings.Fields(e.Said), " ") }

// noAnswer is how uv begins when the index does not answer.
var noAnswer = regexp.MustCompile(`Request failed after|Failed to fetch|error sending request`)

// Unanswered reports whether nothing is known of the list: the index did not
// answer.
func (e *NoSolutionError) Unanswered() bool { return noAnswer.MatchString(e.Said) }

// refused is how uv names an index that wants other credentials.
var refused = regexp.MustCompile(`\b(401 Unauthorized|403 Forbidden)\b`)

// Refused reports whether an index did not let the user in, so that what it has is not
// known.
func (e *NoSolutionError) Refused() bool { return refused.MatchString(e.Said) }

// NoWheelError says that a locked package has neither a wheel for a target nor a
// source that can be built for it.
type NoWheelError struct {
	Name, Version string
	// Targets are those of lock.WheelTargets without a wheel.
	Targets []string
	// Needs is the language that a build has no compiler for, "Rust" or "Fortran", or
	// empty.
	Needs string
	// Said is the reason in all other cases, in one line: "it has no source
	// distribution".
	Said string
	// Nearest is the closest version with a wheel for every wanted target, or
	// empty when there is none.
	Nearest string
	// Tried reports whether it was found out by Try, which asks for no nearest version.
	Tried bool
}

// Error is one line: the package, the targets, why, and what would do.
func (e *NoWheelError) Error() string {
	why := e.Said
	if e.Needs != "" {
		why = "its source needs a " + e.Needs + " compiler, and a build has none"
	}
	near := "; no version has wheels for all"
	switch {
	case e.Tried:
		near = ""
	case e.Nearest != "":
		near = "; the nearest version with wheels for all is " + e.Nearest
	}
	return fmt.Sprintf("%s %s: no wheel for %s, and %s%s", e.Name, e.Version, strings.Join(e.Targets, ", "), why, near)
}

// noSource is what the stage says of a package that has no source, or none that may be taken.
const noSource = "it has no source distribution"

// listResult is how the stage writes what it found out about a list.
type listResult struct {
	Error             string
	Wheels            map[string][]wheelResult // by name and version
	Sources           []sourceResult
	Warnings, Dropped []string
	Refused           []Refused
	// Hashes are those that remain of packages of which the list names some.
	Hashes map[string][]string
}

type wheelResult struct {
	Name, SHA256 string
	Size         int64
	Targets      []string
}

type sourceResult struct {
	Name, Version, SHA256, Build string
	Targets                      []string
	CXX                          bool
	Needs, Says, Nearest         string // why it cannot be built
}

// parseList reads a list's outputs. All packages that cannot be had are
// reported.
func parseList(l stage.List, files map[string][]byte, libraries map[string][]string) (Locked, error) {
	lockFile, sources := l.Outputs()
	var result listResult
	if err := json.Unmarshal(files[sources], &result); err != nil {
		return Locked{}, fmt.Errorf("parsing %s: %w", sources, err)
	}
	if result.Error != "" {
		return Locked{}, fmt.Errorf("resolving %s: %w", l.File, &NoSolutionError{Said: result.Error})
	}
	reqs, err := lock.ParseRequirements(lockFile, files[lockFile])
	if err != nil {
		return Locked{}, err
	}
	for i, r := range reqs {
		if allowed, ok := result.Hashes[r.Name]; ok {
			reqs[i].Hashes = slices.DeleteFunc(r.Hashes, func(h string) bool { return !slices.Contains(allowed, h) })
		}
	}
	var errs []error
	compiled := map[string]*lock.Sdist{}
	for _, found := range result.Sources {
		if found.Needs != "" || found.Says != "" {
			errs = append(errs, fmt.Errorf("resolving %s: %w", l.File, found.problem()))
			continue
		}
		s, err := found.source()
		s.Libraries = libraries[found.Name]
		errs = append(errs, err)
		compiled[found.Name+" "+found.Version] = s
	}
	p := lock.Packages{Targets: l.Targets}
	for _, r := range reqs {
		for _, w := range result.Wheels[r.String()] {
			r.Wheels = append(r.Wheels, lock.Wheel(w))
		}
		r.Sdist = compiled[r.String()]
		p.Requirements = append(p.Requirements, r)
	}
	if err := errors.Join(errs...); err != nil {
		return Locked{}, err
	}
	// What is written must be readable.
	p, err = lock.ParsePackages(lockFile, p.Requirements.Format(), p.FormatTOML())
	return Locked{Packages: p, Warnings: result.Warnings, Dropped: result.Dropped, Refused: result.Refused}, err
}

func (r sourceResult) problem() error {
	return &NoWheelError{
		Name: r.Name, Version: r.Version, Targets: r.Targets, Needs: r.Needs,
		Said: strings.Join(strings.Fields(r.Says), " "), Nearest: r.Nearest,
	}
}

// source returns the locked form.
func (r sourceResult) source() (*lock.Sdist, error) {
	build, err := lock.ParseRequirements("build requirements of "+r.Name, []byte(r.Build))
	return &lock.Sdist{SHA256: r.SHA256, Targets: r.Targets, CXX: r.CXX, Build: build}, err
}
