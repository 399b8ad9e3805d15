// Package names knows what names of packages look like, Debian's and Python's.
package names

import (
	"regexp"
	"strings"
)

var (
	// Debian matches the name of a Debian package (Debian policy 5.6.1).
	Debian = regexp.MustCompile(`^[a-z0-9][a-z0-9+.-]+$`)
	// Suite matches the name of a Debian suite or archive.
	Suite = regexp.MustCompile(`^[a-z][a-z0-9-]*$`)
	// Project matches the normalised name of a Python project.
	Project = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
)

var separators = regexp.MustCompile(`[-_.]+`)

// Normalize returns the normalised form of a Python project's name or of an
// extra (PEP 503).
func Normalize(name string) string {
	return strings.ToLower(separators.ReplaceAllString(name, "-"))
}
