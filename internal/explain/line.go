package explain

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Kind is what a line of a requirements file asks for.
type Kind int

// The kinds of lines.
const (
	// Broken is a line that is no requirement; Problem says why.
	Broken Kind = iota
	// Requirement names a project of the index, perhaps with versions.
	Requirement
	// Include is -r or -c and a Path.
	Include
	// Setting is options for the whole list.
	Setting
	// Direct is a project from an address or from a version control system.
	Direct
	// Local is a project or file of this machine.
	Local
)

// Line is a line of a requirements file, continued lines joined.
type Line struct {
	// File is what errors call the file; First and Last are its lines, from 1.
	File        string
	First, Last int
	// Text is the line without its comment, its variables as they are written;
	// Comment begins with "#" or is empty.
	Text, Comment string
	Kind          Kind
	// Constraint reports whether the line only limits versions (-c): of an Include,
	// whether it does so for all of its file.
	Constraint bool
	// Name is the normalised project name (PEP 503) and Written the user's own.
	Name, Written string
	// Extras has no brackets, Spec no spaces, Marker no semicolon.
	Extras, Spec, Marker string
	// Path is what an Include includes, relative to the File.
	Path string
	// Options are those of a Setting, or behind a requirement; OptionProblem says
	// what is wrong with the latter. Hashes are ALGORITHM:DIGITS, in lower case.
	Options       []Option
	OptionProblem string
	Hashes        []string
	// Problem says in a few words why the line is no requirement, and Remedy is
	// what was probably meant, or empty.
	Problem, Remedy string
}

// requirement returns the line's requirement (PEP 508) with other versions.
func (l Line) requirement(spec string) string {
	text := l.Written
	if l.Extras != "" {
		text += "[" + l.Extras + "]"
	}
	text += spec
	if l.Marker != "" {
		text += " ; " + l.Marker
	}
	return text
}

// pinned returns the version of a line that allows just one.
func (l Line) pinned() (version string, ok bool) {
	version, ok = strings.CutPrefix(l.Spec, "==")
	version = strings.TrimPrefix(version, "=") // ===
	return version, ok && !strings.ContainsAny(version, ",*")
}

// sha256 returns the hashes that a lock can have.
func (l Line) sha256() []string {
	return slices.DeleteFunc(slices.Clone(l.Hashes), func(h string) bool { return !strings.HasPrefix(h, "sha256:") })
}

var firstVersion = regexp.MustCompile(`[0-9][A-Za-z0-9.!+_-]*`)

// wanted returns a version that the line has in mind, to find the nearest of.
func (l Line) wanted() string {
	return strings.TrimSuffix(firstVersion.FindString(l.Spec), ".")
}

// before is a marker that is about Python's version alone.
var before = regexp.MustCompile(`^\(?\s*python_(?:full_)?version\s*(<=|<|==)\s*['"]([0-9]+)(?:\.([0-9]+))?(?:\.[0-9*]+)*['"]\s*\)?$`)

// void reports whether the line's marker is for Pythons before 3.11 only: it asks
// for nothing. Other markers are uv's to judge.
func (l Line) void() bool {
	m := before.FindStringSubmatch(l.Marker)
	if m == nil {
		return false
	}
	major, _ := strconv.Atoi(m[2]) // digits, perhaps none
	minor, _ := strconv.Atoi(m[3])
	until := major*1000 + minor
	return until < 3011 || until == 3011 && m[1] == "<" && !strings.Contains(m[0], "full")
}

var (
	credentials = regexp.MustCompile(`(://)[^/\s]*@`)
	secretQuery = regexp.MustCompile(`(?i)([?&][a-z_-]*(?:token|key|password|passwd|secret|sig|signature)[a-z_-]*=)[^&#\s]+`)
)

// Mask takes the credentials out of the addresses in a text. A variable's name
// is no secret and stays.
func Mask(text string) string {
	text = credentials.ReplaceAllStringFunc(text, func(found string) string {
		if variables.MatchString(strings.TrimSuffix(strings.TrimPrefix(found, "://"), "@")) {
			return found
		}
		return "://***@"
	})
	return secretQuery.ReplaceAllString(text, "${1}***")
}

// variables is user information of variables alone (pip expands ${NAME}).
var variables = regexp.MustCompile(`^(?:[$][{][A-Z0-9_]+[}]:?)+$`)
