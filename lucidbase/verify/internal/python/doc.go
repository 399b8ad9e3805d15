// Package python compares versions and evaluates requirements as Python's
// installers do: PEP 440, PEP 503 and PEP 508 in the form in which the project
// "packaging" applies them.
package python

import (
	"regexp"
	"strings"
)

var separators = regexp.MustCompile(`[-_.]+`)

// Name normalises a distribution's name or an extra (PEP 503).
func Name(s string) string { return strings.ToLower(separators.ReplaceAllString(s, "-")) }
