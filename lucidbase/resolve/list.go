package resolve

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/lucid-project/base-images/internal/explain"
)

// List is a list of requirements of one's own, in pip's form, with the files that it
// includes: what ReadList returned.
type List struct {
	name    string
	project *explain.Project
}

// ReadList reads a requirements file and what it includes. getenv returns the values of
// the variables that these use, as os.Getenv does. A line that is wrong is a finding and
// no error.
func ReadList(_ context.Context, file string, getenv func(string) string) (List, error) {
	project, err := explain.Read(filepath.ToSlash(filepath.Clean(file)), os.ReadFile, getenv)
	return List{file, project}, err
}

// Findings returns what is wrong with the list, as far as that can be seen without the
// index. A list that has any cannot be locked.
func (l List) Findings() []Finding { return findings(l.project.Findings()) }

// Warnings returns what is said of lines that can be locked, but perhaps not as they were
// meant.
func (l List) Warnings() []Finding { return findings(l.project.Warnings()) }

// Incomplete reports whether a file of the list cannot be read, so that nobody knows what
// it asks for.
func (l List) Incomplete() bool { return l.project.Incomplete() }

// Err returns the findings as an error with a line for each, nil if there are none.
func (l List) Err() error {
	var errs []error
	for _, f := range l.Findings() {
		errs = append(errs, errors.New(f.String()))
	}
	return errors.Join(errs...)
}

// Against returns in one line why the list cannot be had together with other
// requirements, such as a base's packages: its own lines, and the reason.
func (l List) Against(e *NoSolutionError) string { return l.project.Against(e.Said) }

// Finding is what is said of a line of a List.
type Finding struct {
	// File and Line say where, the line from 1.
	File string
	Line int
	// Text is the line without its comment, and without credentials.
	Text string
	// Why is what is wrong, and where possible what would do, in one line.
	Why string
}

// String returns the finding in one line: "requirements.txt: line 3: logging: part of
// Python, remove it".
func (f Finding) String() string { return explain.Finding(f).String() }

func findings(found []explain.Finding) []Finding {
	var all []Finding
	for _, f := range found {
		all = append(all, Finding(f))
	}
	return all
}
