package explain

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/lucid-project/base-images/lucidbase/lock"
)

// uv's words, as of 0.13.
var (
	didYouMean   = regexp.MustCompile("Did you mean to install `([^`]+)`")
	wheelsAre    = regexp.MustCompile("Wheels are available for `[^`]+` \\(v[^)]+\\) on the following platforms?: (.*)")
	platformTag  = regexp.MustCompile("`([^`]+)`")
	needsPython  = regexp.MustCompile(`does not satisfy Python\s*([<>=!~0-9.,* ]+)`)
	failedBuild  = regexp.MustCompile("Failed to (?:build|download and build) `([^`]+)`")
	noWheels     = regexp.MustCompile(`has no wheels with a matching|has no usable wheels`)
	incompatible = regexp.MustCompile(`you require .* which are incompatible`)
	parseCause   = regexp.MustCompile(`(?s)Couldn't parse requirement.*?cause: ([^\n]*)`)
)

// verdict is what to make of a requirement that cannot be had.
type verdict struct {
	// now is what to ask for instead, if anything, and rename its project if that
	// is another one.
	now, rename string
	why         string
	// files reports whether the version is there, but no file that would do.
	files bool
}

// forbidden says which lines keep a project's wheels and its source from being
// taken.
type forbidden struct{ wheels, source string }

// judge reads what uv says of a requirement that cannot be had by itself. line is the
// user's own, asked what was asked; ok reports whether uv's text was understood.
func judge(line, asked Line, p Problem, f forbidden) (v verdict, ok bool) {
	says := func(part string) bool { return strings.Contains(p.Error, part) }
	with := func(versions []string, why string, files bool) (verdict, bool) {
		if len(versions) == 0 {
			return verdict{why: why, files: files}, true
		}
		return verdict{now: line.requirement("==" + versions[0]), why: why, files: files}, true
	}
	if m := didYouMean.FindStringSubmatch(p.Error); m != nil {
		return verdict{now: m[1], rename: m[1], why: fmt.Sprintf("it cannot be had; uv asks: did you mean %s?", m[1])}, true
	}
	switch {
	case says("was not found in the package registry"):
		return verdict{why: "there is no such project in the index"}, true
	case parseCause.MatchString(p.Error):
		return verdict{why: "not a requirement: " + parseCause.FindStringSubmatch(p.Error)[1]}, true
	case needsPython.MatchString(p.Error):
		python := strings.TrimRight(strings.TrimSpace(needsPython.FindStringSubmatch(p.Error)[1]), ",.")
		return with(p.Nearest, fmt.Sprintf("it needs Python %s; %s", python, p.near("for "+lock.PythonMinor, false)), false)
	case f.source != "" && noWheels.MatchString(p.Error):
		return with(p.Wheels.Wheels, fmt.Sprintf("no wheel for %s, and %s; %s", strings.Join(p.Targets, ", "), f.source, p.near("", true)), true)
	case says("has no source distribution") && f.wheels != "":
		return verdict{why: f.wheels + ", and it has no source"}, true
	case otherSystem(p.Error) != "":
		marker := fmt.Sprintf("sys_platform == %q", otherSystem(p.Error))
		why := "it is for another system, and has no source: add the marker " + marker
		if line.Marker != "" {
			marker = "(" + line.Marker + ") and " + marker
		}
		line.Marker = marker
		return verdict{now: line.requirement(asked.Spec), why: why}, true
	case noWheels.MatchString(p.Error):
		return with(p.Wheels.Wheels, fmt.Sprintf("no wheel for %s, and no source; %s", strings.Join(p.Targets, ", "), p.near("", true)), true)
	case failedBuild.MatchString(p.Error):
		return with(p.Wheels.Wheels, fmt.Sprintf("its source cannot be built: %s; %s", buildCause(p.Error), p.near("", true)), true)
	case says("there is no version of") && strings.Contains(asked.Spec, "+"):
		return verdict{why: "a local version (PEP 440), which this index does not have: set UV_INDEX to the index that has it, or name a version without +"}, true
	case says("there is no version of"), says("is available and"), says("are available and"), says("there are no versions of"):
		return with(p.Nearest, "there is no such version; "+p.near("", false), false)
	case incompatible.MatchString(p.Error):
		return with(p.Nearest, "no version is all of these at once; "+p.near("", false), false)
	}
	return verdict{}, false
}

// otherSystem returns the sys_platform (PEP 508) of a project that has wheels for
// that system alone.
func otherSystem(text string) string {
	all := wheelsAre.FindAllStringSubmatch(text, -1)
	if all == nil {
		return ""
	}
	systems := map[string]bool{}
	for _, m := range all {
		for _, tag := range platformTag.FindAllStringSubmatch(m[1], -1) {
			switch {
			case strings.HasPrefix(tag[1], "win"):
				systems["win32"] = true
			case strings.HasPrefix(tag[1], "macosx"):
				systems["darwin"] = true
			default:
				systems["linux"] = true
			}
		}
	}
	for _, name := range []string{"win32", "darwin"} {
		if systems[name] && len(systems) == 1 {
			return name
		}
	}
	return ""
}

// buildCause returns the last cause that uv names, in whose place the stage has put the
// cause that a build backend named.
func buildCause(text string) string {
	causes := strings.Split(text, "cause: ")
	first, _, _ := strings.Cut(causes[len(causes)-1], "\n")
	return short(first, 300)
}
