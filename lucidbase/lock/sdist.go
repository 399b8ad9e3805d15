package lock

import (
	"slices"
	"strings"
	"unicode"

	"github.com/lucid-project/base-images/internal/names"
)

// Sdist is a locked source distribution, which stands in for wheels that nobody
// publishes, and what it takes to make a wheel of it.
type Sdist struct {
	// SHA256 is the source distribution's hash, 64 lower-case hexadecimal digits.
	SHA256 string
	// Targets are those for which the source is used instead of a wheel, each one
	// of WheelTargets; or AnyTarget alone, for a pure package that has no wheel at
	// all: one build serves every target.
	Targets []string
	// Build are the wheels that the build itself needs, exact and complete: the
	// build system's requirements (PEP 518), those that it asks for (PEP 517) and
	// what they depend on. Their hashes are of wheels for the build platforms.
	Build Requirements
	// CXX says that the build compiles C++. It changes no result: a build that is
	// known to need the C++ library shares it with others, one that is not makes
	// its own, which takes a minute.
	CXX bool
	// Libraries are Debian packages of the target, such as "libffi-dev", whose
	// headers and libraries the build needs; each is in the Debian lock's headers
	// layer.
	Libraries []string
}

// AnyTarget is the target of a wheel that runs everywhere.
const AnyTarget = "any"

// Serves reports whether the source is used for one of WheelTargets; that of nil
// is used for none.
func (s *Sdist) Serves(target string) bool {
	return s != nil && (slices.Contains(s.Targets, target) || slices.Contains(s.Targets, AnyTarget))
}

// BuildTarget returns what the source is compiled for when a target needs it: the
// target itself, or AnyTarget.
func (s *Sdist) BuildTarget(target string) string {
	if slices.Contains(s.Targets, AnyTarget) {
		return AnyTarget
	}
	return target
}

func (s *Sdist) check(bad func(string, ...any)) {
	if !isSHA256(s.SHA256) {
		bad("sha256 %q of the source is not 64 hexadecimal digits", s.SHA256)
	}
	if slices.Contains(s.Targets, AnyTarget) && len(s.Targets) > 1 {
		bad("target any stands alone")
	}
	for i, l := range s.Libraries {
		if !names.Debian.MatchString(l) {
			bad("library %q is not a Debian package name", l)
		}
		if slices.Contains(s.Libraries[:i], l) {
			bad("library %s: listed twice", l)
		}
	}
	for _, b := range s.Build {
		if strings.Contains(b.Marker, "'''") || strings.ContainsFunc(b.Marker, unicode.IsControl) {
			bad("build requirement %s: three quotes or a control character in the marker", b.Name)
		}
	}
}

// checkTargets reports what is not among the targets that a lock is for.
func checkTargets(targets, all []string, bad func(string, ...any)) {
	if len(targets) == 0 {
		bad("no targets")
	}
	for i, t := range targets {
		switch {
		case t != AnyTarget && !slices.Contains(all, t):
			bad("target %q is not one of %s", t, strings.Join(all, ", "))
		case slices.Contains(targets[:i], t):
			bad("target %s: listed twice", t)
		}
	}
}
