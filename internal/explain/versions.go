package explain

import (
	"fmt"
	"regexp"
	"strings"
)

const versionPattern = `v?(?:[0-9]+!)?[0-9][A-Za-z0-9._-]*(?:\+[A-Za-z0-9._-]+)?`

var (
	clause    = regexp.MustCompile(`^(===|~=|==|!=|<=|>=|<|>)\s*(` + versionPattern + `)(\.\*)?$`)
	condaPin  = regexp.MustCompile(`^=\s*([0-9][A-Za-z0-9.]*)(?:=[A-Za-z0-9_]+)?$`)
	swapped   = regexp.MustCompile(`^=([<>])\s*(` + versionPattern + `)$`)
	bare      = regexp.MustCompile(`^@?(` + versionPattern + `)$`)
	operator  = regexp.MustCompile(`^(?:===|~=|==|!=|<=|>=|<|>)$`)
	variable  = regexp.MustCompile(`\$\{?[A-Za-z_][A-Za-z0-9_]*\}?`)
	lastParts = regexp.MustCompile(`^((?:===|~=|==|!=|<=|>=|<|>)\s*` + versionPattern + `(?:\.\*)?)\s*(\s.+|#.*|//.*)$`)
)

// versions reads version specifiers (PEP 440): clauses with commas between,
// perhaps all in parentheses.
func (l *Line) versions(text string) {
	if strings.HasPrefix(text, "(") && strings.HasSuffix(text, ")") {
		text = text[1 : len(text)-1]
	}
	text = strings.TrimSuffix(strings.TrimSpace(text), ",")
	if text == "" {
		l.Kind = Requirement
		return
	}
	var clauses []string
	known := true
	for part := range strings.SplitSeq(text, ",") {
		part = strings.TrimSpace(part)
		if m := clause.FindStringSubmatch(part); m != nil && clauseProblem(m) == "" {
			clauses = append(clauses, m[1]+m[2]+m[3])
			continue
		}
		problem, remedy, ok := mistake(part)
		if l.Problem == "" {
			l.Problem = problem
		}
		if known = known && ok; remedy != "" {
			clauses = append(clauses, remedy)
		}
	}
	switch spec := strings.Join(clauses, ","); {
	case l.Problem == "":
		l.Kind, l.Spec = Requirement, spec
	case known:
		l.Remedy = l.requirement(spec)
	}
}

// clauseProblem finds what PEP 440 forbids in a clause that looks well.
func clauseProblem(m []string) string {
	switch {
	case m[3] != "" && m[1] != "==" && m[1] != "!=":
		return m[1] + " with .*"
	case m[1] == "~=" && !strings.Contains(m[2], "."):
		return "~= needs a version of two numbers or more"
	}
	return ""
}

// mistake says what is wrong with a clause, and what was meant if that is clear; empty
// means no clause at all.
func mistake(part string) (problem, remedy string, ok bool) {
	if m := clause.FindStringSubmatch(part); m != nil {
		return clauseProblem(m), strings.Replace(m[1], "~=", ">=", 1) + m[2], m[1] == "~="
	}
	if v := variable.FindString(part); v != "" {
		if said := unset(v); said != "" {
			return said, "", true
		}
		return fmt.Sprintf("the variable %s: pip knows only ${NAME}, in capitals", v), "", true
	}
	if m := condaPin.FindStringSubmatch(part); m != nil {
		return "= is no comparison", "==" + m[1], true
	}
	if m := swapped.FindStringSubmatch(part); m != nil {
		return fmt.Sprintf("=%s is no comparison", m[1]), m[1] + "=" + m[2], true
	}
	if m := bare.FindStringSubmatch(part); m != nil {
		return "a version without ==", "==" + m[1], true
	}
	if m := lastParts.FindStringSubmatch(part); m != nil {
		rest := strings.TrimSpace(m[2])
		note := strings.HasPrefix(rest, "#") || strings.HasPrefix(rest, "//")
		return fmt.Sprintf("%q after the version", Mask(rest)), m[1], note
	}
	switch {
	case part == "":
		return "two commas", "", true
	case operator.MatchString(part):
		return "no version after " + part, "", true
	}
	return fmt.Sprintf("%q is no version", Mask(part)), "", false
}
