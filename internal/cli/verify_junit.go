package cli

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"github.com/lucid-project/base-images/lucidbase/verify"
)

// The parts of JUnit's XML that Jenkins and GitLab read.
// https://github.com/testmoapp/junitxml
type junitSuites struct {
	XMLName  xml.Name     `xml:"testsuites"`
	Tests    int          `xml:"tests,attr"`
	Failures int          `xml:"failures,attr"`
	Errors   int          `xml:"errors,attr"`
	Suites   []junitSuite `xml:"testsuite"`
}

// junitSuite is an image on a platform.
type junitSuite struct {
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Errors   int         `xml:"errors,attr"`
	Cases    []junitCase `xml:"testcase"`
}

// junitCase is a rule.
type junitCase struct {
	Name    string        `xml:"name,attr"`
	Class   string        `xml:"classname,attr"`
	Failure *junitProblem `xml:"failure"`
	Error   *junitProblem `xml:"error"`
	Out     string        `xml:"system-out,omitempty"`
}

type junitProblem struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr"`
	Text    string `xml:",chardata"`
}

func writeJUnit(w io.Writer, j judgement) error {
	var all junitSuites
	add := func(s junitSuite) {
		s.Tests = len(s.Cases)
		all.Tests, all.Failures, all.Errors = all.Tests+s.Tests, all.Failures+s.Failures, all.Errors+s.Errors
		all.Suites = append(all.Suites, s)
	}
	for _, r := range j.results {
		s := junitSuite{Name: r.title()}
		for _, rule := range j.rules {
			c := j.junitCase(r, rule)
			if c.Failure != nil {
				s.Failures++
			}
			s.Cases = append(s.Cases, c)
		}
		add(s)
	}
	for _, u := range j.unread {
		name, text := verify.Printable(u.name), oneLine(u.err).Error()
		problem := &junitProblem{Message: text, Type: "unreadable", Text: text}
		add(junitSuite{Name: name, Errors: 1, Cases: []junitCase{{Name: "read", Class: name, Error: problem}}})
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(all); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func (j judgement) junitCase(r judged, rule verify.Rule) junitCase {
	c := junitCase{Name: rule.Name, Class: r.title()}
	var found, waived []string
	var findings []verify.Finding
	for _, f := range r.Findings {
		if f.Rule == rule.Name {
			findings, found = append(findings, f), append(found, f.String())
		}
	}
	for _, f := range r.Waived {
		if f.Rule == rule.Name {
			waived = append(waived, "waived: "+f.String()+" ("+verify.Printable(j.reason(f))+")")
		}
	}
	c.Out = strings.Join(waived, "\n")
	if len(found) > 0 {
		c.Failure = &junitProblem{
			Message: fmt.Sprintf("%s: %s", count(len(found), "finding"), rule.Summary), Type: rule.Name,
			Text: strings.TrimSuffix(explained(findings, found, ""), "\n"),
		}
	}
	return c
}
