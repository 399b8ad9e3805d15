package pysource

import (
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Module is what a source does while it is imported, as far as that can be seen.
type Module struct {
	// Steps are what matters to imports, in the source's order.
	Steps []Step
	// Names are those that the module has afterwards, sorted.
	Names []string
	// Sets are the names of attributes that it sets on something else, perhaps on a
	// module, sorted.
	Sets []string
	// Dynamic is set where there can be names that are not in Names.
	Dynamic bool
	// Unread is set for a source that is too large, that Python would not accept, or
	// of an encoding that is not known: nothing else is set then.
	Unread bool
	// Hooked is set where Python may find modules below this one that have no file.
	Hooked bool
}

// Action is what a step does.
type Action byte

// The actions: import a.b; from a.b import c; a call f(), by the name of a function;
// a change of sys.path or of something else that decides what an import finds.
const (
	Import Action = iota + 1
	From
	Call
	Change
)

// Step is a statement that is always reached, or a change.
type Step struct {
	Action Action
	Line   int
	// In is the function of the top level whose body the statement is in; empty for
	// the module itself.
	In string
	// Module is the dotted name of an import, or the function that is called; Level
	// is the number of dots before it.
	Module string
	Level  int
	// Names are those that From imports; "*" for all.
	Names []string
	// As is the name that Import binds where it has one.
	As string
}

// MaxSize is the size in bytes of the largest source that is read: no person writes a
// larger one.
const MaxSize = 1 << 20

// maxNames, maxSteps and maxCalls are how many a module may have of each, maxName is how
// many bytes a name may have.
const (
	maxNames = 20_000
	maxSteps = 5_000
	maxCalls = 2_000
	maxName  = 200
)

// coding is PEP 263's; the encodings are those whose bytes below 128 are ASCII.
var (
	coding = regexp.MustCompile(`^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)`)
	ascii  = regexp.MustCompile(`(?i)^(utf[-_]?8([-_](sig|unix|dos|mac))?|ascii|us[-_]ascii|latin[-_]?1|iso[-_]?(ir|latin|8859)[-_]?[-_0-9]*|(cp|windows)[-_]?125[0-9]|koi8[-_][ru]|l1)$`)
)

// known reports whether a source's encoding is one that can be read byte by byte.
func known(src string) bool {
	rest := strings.TrimPrefix(src, bom)
	for range 2 {
		end := strings.IndexAny(rest, "\r\n")
		if end < 0 {
			end = len(rest)
		}
		line := rest[:end]
		if m := coding.FindStringSubmatch(line); m != nil {
			return ascii.MatchString(m[1])
		}
		if text := strings.Trim(line, " \t\f"); text != "" && text[0] != '#' || end == len(rest) {
			break
		}
		rest = strings.TrimPrefix(strings.TrimPrefix(rest[end:], "\r"), "\n")
	}
	return true
}

// Parse reads a source.
func Parse(data []byte) *Module {
	src := string(data)
	if len(src) > MaxSize || strings.IndexByte(src, 0) >= 0 || !known(src) {
		return &Module{Unread: true}
	}
	r := &reader{lexer: newLexer(src), names: map[string]bool{}, sets: map[string]bool{}, functions: map[string]int{}, left: map[string]bool{}, called: map[[2]string]bool{}, systems: []string{"sys", "_sys"}}
	for r.next() {
		r.logicalLine()
	}
	if r.failed || len(r.names) > maxNames || len(r.sets) > maxNames || len(r.Steps) > maxSteps {
		return &Module{Unread: true}
	}
	r.dropSteps()
	m := r.Module // and nothing that holds the source
	if len(m.Steps) == 0 {
		m.Steps = nil
	}
	m.Names, m.Sets = slices.Sorted(maps.Keys(r.names)), slices.Sorted(maps.Keys(r.sets))
	return &m
}
