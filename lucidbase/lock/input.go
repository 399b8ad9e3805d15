package lock

import (
	"errors"
	"maps"
	"slices"
)

// DebianInput is the reviewed list that a Debian lock is resolved from.
type DebianInput struct {
	// Suites are the indexes to choose from; the newest version wins.
	Suites []SuiteInput `toml:"suites"`
	// Rootfs names the packages of the images' first layer.
	Rootfs []string `toml:"rootfs"`
	// Builder names what a stage has besides.
	Builder []string `toml:"builder"`
	// Headers names what sources are compiled against; those of Rootfs may be
	// among them.
	Headers []string `toml:"headers"`
	// Libraries maps a Python project (its normalised name) to those of Headers
	// that its source is compiled and linked with.
	Libraries map[string][]string `toml:"libraries"`
	// Exclude lists dependencies that are left out on purpose.
	Exclude []Exclusion `toml:"exclude"`
}

// SuiteInput names a suite; its archive says which keys may sign it.
type SuiteInput struct {
	Archive string `toml:"archive"`
	Name    string `toml:"suite"`
}

// Exclusion is a dependency that a listed package declares and the list leaves
// out.
type Exclusion struct {
	// Package is the listed package; Depends the package that it asks for.
	Package string `toml:"package"`
	Depends string `toml:"depends"`
	// Reason is for the reviewer; it may not be empty.
	Reason string `toml:"reason"`
}

// ParseDebianInput reads the package list's TOML. name is what errors call the
// file; each names the line and the package.
func ParseDebianInput(name string, data []byte) (DebianInput, error) {
	var in DebianInput
	if err := decodeTOML(name, data, &in); err != nil {
		return DebianInput{}, err
	}
	r := &reporter{name: name}
	in.check(data, r)
	if err := errors.Join(r.errs...); err != nil {
		return DebianInput{}, err
	}
	return in, nil
}

func (in DebianInput) check(data []byte, r *reporter) {
	if len(in.Suites) == 0 {
		r.bad(1, "no suites")
	}
	if len(in.Rootfs) == 0 {
		r.bad(lineOfKey(data, "rootfs"), "rootfs: no packages")
	}
	for i, s := range in.Suites {
		line := lineWith(data, 0, quoted(s.Archive), quoted(s.Name))
		if !suiteName.MatchString(s.Archive) || !suiteName.MatchString(s.Name) {
			r.bad(line, "suite %q of archive %q: not a name", s.Name, s.Archive)
		}
		if slices.Contains(in.Suites[:i], s) {
			r.bad(lineWith(data, 1, quoted(s.Archive), quoted(s.Name)), "suite %s of archive %s: listed twice", s.Name, s.Archive)
		}
	}
	listed := in.checkPackages(slices.Concat(in.Rootfs, in.Builder), data, r)
	maps.Copy(listed, in.checkPackages(in.Headers, data, r))
	in.checkExclude(listed, data, r)
	in.checkLibraries(data, r)
}

func (in DebianInput) checkPackages(names []string, data []byte, r *reporter) map[string]bool {
	listed := map[string]bool{}
	for _, pkg := range names {
		if !debName.MatchString(pkg) {
			r.bad(lineWith(data, 0, quoted(pkg)), "%q: not a Debian package name", pkg)
		}
		if listed[pkg] {
			r.bad(lineWith(data, 1, quoted(pkg)), "%s: listed twice", pkg)
		}
		listed[pkg] = true
	}
	return listed
}

func (in DebianInput) checkExclude(listed map[string]bool, data []byte, r *reporter) {
	seen := map[[2]string]bool{}
	for _, e := range in.Exclude {
		line := lineWith(data, 0, quoted(e.Package), quoted(e.Depends))
		if !listed[e.Package] {
			r.bad(line, "%s: excludes %s, but is not listed itself", e.Package, e.Depends)
		}
		if !debName.MatchString(e.Depends) {
			r.bad(line, "%s: excludes %q, which is not a Debian package name", e.Package, e.Depends)
		}
		if listed[e.Depends] {
			r.bad(line, "%s: excludes %s, which is listed", e.Package, e.Depends)
		}
		if e.Reason == "" {
			r.bad(line, "%s: excludes %s without a reason", e.Package, e.Depends)
		}
		if seen[[2]string{e.Package, e.Depends}] {
			r.bad(lineWith(data, 1, quoted(e.Package), quoted(e.Depends)), "%s: excludes %s twice", e.Package, e.Depends)
		}
		seen[[2]string{e.Package, e.Depends}] = true
	}
}

func (in DebianInput) checkLibraries(data []byte, r *reporter) {
	for _, project := range slices.Sorted(maps.Keys(in.Libraries)) {
		line := lineOfKey(data, project)
		if !projectName.MatchString(project) {
			r.bad(line, "libraries: %q is not a normalised project name", project)
		}
		if len(in.Libraries[project]) == 0 {
			r.bad(line, "libraries: %s: none", project)
		}
		for i, library := range in.Libraries[project] {
			if !slices.Contains(in.Headers, library) {
				r.bad(line, "libraries: %s: %s is not one of headers", project, library)
			}
			if slices.Contains(in.Libraries[project][:i], library) {
				r.bad(line, "libraries: %s: %s: listed twice", project, library)
			}
		}
	}
}
