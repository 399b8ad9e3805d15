package explain

import (
	"regexp"
	"strings"
)

// named is a variable as pip knows it: in braces and capitals, nothing else.
var named = regexp.MustCompile(`[$][{]([A-Z0-9_]+)[}]`)

// expand puts the values of variables in their places, as pip does: an empty one
// is not set, and what is not set stays.
func expand(text string, getenv func(string) string) string {
	if getenv == nil {
		return text
	}
	return named.ReplaceAllStringFunc(text, func(found string) string {
		if value := getenv(found[2 : len(found)-1]); value != "" {
			return value
		}
		return found
	})
}

// unset returns a variable that is left in a text, or nothing.
func unset(text string) string {
	if v := named.FindString(text); v != "" {
		return "the variable " + v + " is not set"
	}
	return ""
}

// conceal puts the variables that a text used back: a value may be a secret.
func conceal(said, text string, getenv func(string) string) string {
	for _, v := range named.FindAllString(text, -1) {
		if value := expand(v, getenv); value != v {
			said = strings.ReplaceAll(said, value, v)
		}
	}
	return said
}
