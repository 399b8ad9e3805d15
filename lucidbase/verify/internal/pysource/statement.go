package pysource

import "strings"

// importStatement reads: import a.b as c, d
func importStatement(tokens []token) (steps []Step) {
	for i := 1; i < len(tokens); {
		module, next := dotted(tokens, i)
		if module == "" {
			return steps
		}
		s := Step{Action: Import, Line: tokens[0].line, Module: module}
		i = next
		if i+1 < len(tokens) && tokens[i].is("as") {
			s.As = strings.Clone(tokens[i+1].text)
			i += 2
		}
		steps = append(steps, s)
		if i >= len(tokens) || !tokens[i].is(",") {
			return steps
		}
		i++
	}
	return steps
}

// dotted reads a.b.c from a place on, and returns where it ends.
func dotted(tokens []token, i int) (module string, next int) {
	var b strings.Builder
	for i < len(tokens) && tokens[i].kind == name {
		b.WriteString(tokens[i].text)
		if i+1 >= len(tokens) || !tokens[i+1].is(".") {
			return b.String(), i + 1
		}
		b.WriteByte('.')
		i += 2
	}
	return "", i
}

// fromStatement reads: from ..a.b import (c as d, e)
func fromStatement(tokens []token) (s Step, bound []string) {
	s.Line = tokens[0].line
	i := 1
	for i < len(tokens) && (tokens[i].is(".") || tokens[i].is("...")) {
		s.Level += len(tokens[i].text)
		i++
	}
	if i < len(tokens) && !tokens[i].is("import") {
		s.Module, i = dotted(tokens, i)
	}
	if i >= len(tokens) || !tokens[i].is("import") || s.Module == "" && s.Level == 0 {
		return Step{}, nil
	}
	s.Action = From
	for i++; i < len(tokens); i++ {
		switch t := tokens[i]; {
		case t.is("*"):
			s.Names = append(s.Names, "*")
		case t.is("as") && i+1 < len(tokens):
			i++
			if len(bound) > 0 {
				bound[len(bound)-1] = tokens[i].text
			}
		case t.kind == name && len(t.text) <= maxName:
			s.Names = append(s.Names, strings.Clone(t.text))
			bound = append(bound, t.text)
		}
	}
	return s, bound
}
