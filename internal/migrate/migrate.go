// Package migrate turns a Dockerfile into a lucidbase.yaml, and says for each line that
// is dangerous, or cannot work in an image without a shell, what becomes of it.
package migrate

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerfile/shell"
	"github.com/moby/patternmatcher"

	"github.com/lucid-project/base-images/lucidbase/verify"
)

// File is a Dockerfile and where it stands.
type File struct {
	Text []byte
	// Name is what the service is called that the last stage becomes.
	Name string
	// Context is the directory that the Dockerfile is built with.
	Context fs.FS
	// Prefix is the path of the context from where the lucidbase.yaml will be; "" means
	// the same directory.
	Prefix string
}

// Finding is a line that does not become what it was.
type Finding struct {
	Line int
	// Left means that a person has to do something.
	Left bool
	// Found says what the line does, Fix what becomes of it or what to do.
	Found, Fix string
}

// Result is what a Dockerfile becomes.
type Result struct {
	YAML []byte
	// Findings are in the order of their lines.
	Findings []Finding
}

// Error is why a Dockerfile becomes nothing.
type Error struct {
	Line int
	Err  error
}

func (e *Error) Error() string { return fmt.Sprintf("%d: %v", e.Line, e.Err) }

func (e *Error) Unwrap() error { return e.Err }

// Dockerfile returns what a Dockerfile becomes: a service of its last stage, and one of
// each other stage that no stage uses and that says what to run. The error is an *Error.
func Dockerfile(in File) (Result, error) {
	m, err := parse(in)
	if err != nil {
		return Result{}, err
	}
	m.ignore = ignorePatterns(in.Context)
	var services []service
	for _, i := range m.targets() {
		m.images = map[imageKey]*image{}
		im := m.image(imageKey{i, true})
		if why := im.foreign(); why != "" {
			return Result{}, &Error{im.line, errors.New(why)}
		}
		s := m.service(i, im)
		for slices.ContainsFunc(services, func(have service) bool { return have.name == s.name }) {
			s.name += "-2"
		}
		services = append(services, s)
	}
	text, err := format(services)
	if err != nil {
		return Result{}, &Error{1, err}
	}
	slices.SortStableFunc(m.findings, func(a, b Finding) int { return a.Line - b.Line })
	return Result{text, m.findings}, nil
}

// migration is one run.
type migration struct {
	File
	// ignore is the context's .dockerignore, nil for none.
	ignore *patternmatcher.PatternMatcher
	stages []instructions.Stage
	global []string
	lex    *shell.Lex
	images map[imageKey]*image
	// listAt are the lines that install lists of requirements.
	listAt   map[string]int
	findings []Finding
}

// imageKey names a stage; final says whether the service stands on it, not only files
// of it.
type imageKey struct {
	stage int
	final bool
}

func parse(in File) (*migration, error) {
	ast, err := parser.Parse(bytes.NewReader(in.Text))
	if err != nil {
		return nil, located(err)
	}
	stages, args, err := instructions.Parse(ast.AST, nil)
	if err != nil {
		return nil, located(err)
	}
	if len(stages) == 0 {
		return nil, &Error{1, errors.New("no FROM")}
	}
	m := &migration{File: in, listAt: map[string]int{}, stages: stages, lex: shell.NewLex(ast.EscapeToken)}
	for _, a := range args {
		for _, kv := range a.Args {
			if kv.Value != nil {
				m.global = append(m.global, kv.Key+"="+m.expand(*kv.Value, m.global))
			}
		}
	}
	return m, nil
}

func located(err error) error {
	line := 1
	var at *parser.LocationError
	if errors.As(err, &at) && len(at.Locations) > 0 && len(at.Locations[0]) > 0 {
		line = at.Locations[0][0].Start.Line
	}
	text, _, _ := strings.Cut(err.Error(), "\n")
	return &Error{max(1, line), errors.New(parserPlace.ReplaceAllString(text, ""))}
}

// parserPlace is how the parser itself names the line.
var parserPlace = regexp.MustCompile(`^dockerfile parse error on line \d+: `)

func line(at []parser.Range) int {
	if len(at) == 0 {
		return 1
	}
	return at[0].Start.Line
}

// expand replaces the variables of a word by what env, a list of KEY=VALUE, says.
func (m *migration) expand(word string, env []string) string {
	out, _, err := m.lex.ProcessWord(word, shell.EnvsFromSlice(env))
	if err != nil {
		return word
	}
	return out
}

// done and left report a line, once.
func (m *migration) done(line int, found, fix string) { m.report(Finding{line, false, found, fix}) }
func (m *migration) left(line int, found, fix string) { m.report(Finding{line, true, found, fix}) }

func (m *migration) report(f Finding) {
	if !slices.Contains(m.findings, f) {
		m.findings = append(m.findings, f)
	}
}

// targets are the stages that become services, the last one last.
func (m *migration) targets() []int {
	used := map[int]bool{}
	last := m.last()
	for n, s := range m.stages {
		if n != last && unshipped[s.Name] {
			continue
		}
		if i, ok := instructions.HasStage(m.stages[:n], m.expand(s.BaseName, m.global)); ok {
			used[i] = true
		}
		for _, c := range s.Commands {
			if c, ok := c.(*instructions.CopyCommand); ok {
				if i, ok := m.stageOf(c.From, n); ok {
					used[i] = true
				}
			}
		}
	}
	var all []int
	for i, s := range m.stages {
		if i == last || used[i] || !slices.ContainsFunc(s.Commands, starts) {
			continue
		}
		if unshipped[s.Name] {
			m.done(line(s.Location), "stage "+s.Name+", which no stage uses", "left out: it is not what is shipped")
			continue
		}
		all = append(all, i)
	}
	return append(all, last)
}

// unshipped are names of stages that are for whoever writes the service.
var unshipped = map[string]bool{"test": true, "tests": true, "testing": true, "dev": true, "development": true, "debug": true, "debugger": true, "lint": true}

// last is the last stage that is shipped and says what to run, else the last one.
func (m *migration) last() int {
	for i := len(m.stages) - 1; i >= 0; i-- {
		if !unshipped[m.stages[i].Name] && slices.ContainsFunc(m.stages[i].Commands, starts) {
			return i
		}
		if !unshipped[m.stages[i].Name] {
			break
		}
	}
	return len(m.stages) - 1
}

func starts(c instructions.Command) bool {
	return strings.EqualFold(c.Name(), "cmd") || strings.EqualFold(c.Name(), "entrypoint")
}

// stageOf finds a stage among those before another, by its name or number.
func (m *migration) stageOf(name string, before int) (int, bool) {
	if name == "" {
		return 0, false
	}
	if i, ok := instructions.HasStage(m.stages[:before], name); ok {
		return i, true
	}
	i, err := strconv.Atoi(name)
	return i, err == nil && i >= 0 && i < before
}

// nameOf is what a stage's service is called.
func (m *migration) nameOf(i int) string {
	if i == m.last() {
		return Name(m.Name)
	}
	return Name(cmp.Or(m.stages[i].Name, fmt.Sprintf("%s-%d", m.Name, i)))
}

// Name makes a service's name of any text.
func Name(text string) string {
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') })
	return cmp.Or(strings.Join(words, "-"), "service")
}

// Sources lists the paths of the context that a Dockerfile copies, patterns included:
// what a directory has that it can be built with. Of a wrong one there are none.
func Sources(text []byte) []string {
	m, err := parse(File{Text: text})
	if err != nil {
		return nil
	}
	var all []string
	for _, s := range m.stages {
		for _, c := range s.Commands {
			if c, ok := c.(*instructions.CopyCommand); ok && c.From == "" {
				for _, src := range c.SourcePaths {
					if name := strings.Trim(path.Clean("/"+src), "/"); name != "" && !strings.Contains(src, "$") && verify.SecretFile("/"+name, nil) == "" {
						all = append(all, name)
					}
				}
			}
		}
	}
	return all
}
