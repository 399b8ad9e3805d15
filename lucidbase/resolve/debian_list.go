package resolve

import (
	"maps"
	"slices"

	"github.com/lucid-project/base-images/internal/lines"
	"github.com/lucid-project/base-images/internal/names"
)

// DebianList is the list of packages that a Debian lock is resolved from.
type DebianList struct {
	// Suites are the indexes to choose from; the newest version wins.
	Suites []ListedSuite `toml:"suites"`
	// Rootfs names the packages of the images' first layer.
	Rootfs []string `toml:"rootfs"`
	// Builder names what a stage has besides.
	Builder []string `toml:"builder"`
	// Dev names what a twin for build stages and debugging has besides Rootfs.
	Dev []string `toml:"dev"`
	// Headers names what sources are compiled against; those of Rootfs may be
	// among them.
	Headers []string `toml:"headers"`
	// Libraries maps a Python project (its normalised name) to those of Headers
	// that its source is compiled and linked with.
	Libraries map[string][]string `toml:"libraries"`
	// Exclude lists dependencies that are left out on purpose.
	Exclude []Exclusion `toml:"exclude"`
	// Without lists packages that services of their own list need not have, whatever
	// depends on them.
	Without []Without `toml:"without"`
}

// Without is a package that a service's packages depend on, and no image needs.
type Without struct {
	Package string `toml:"package"`
	// Reason is for the reviewer; it may not be empty.
	Reason string `toml:"reason"`
}

// ListedSuite names a suite; its archive says which keys may sign it.
type ListedSuite struct {
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

// ParseDebianList reads the package list's TOML. name is what errors call the
// file; each names the line and the package.
func ParseDebianList(name string, data []byte) (DebianList, error) {
	var in DebianList
	if err := lines.DecodeTOML(name, data, &in); err != nil {
		return DebianList{}, err
	}
	r := &lines.Report{Name: name}
	in.check(data, r)
	if err := r.Err(); err != nil {
		return DebianList{}, err
	}
	return in, nil
}

func (in DebianList) check(data []byte, r *lines.Report) {
	if len(in.Suites) == 0 {
		r.Bad(1, "no suites")
	}
	if len(in.Rootfs) == 0 {
		r.Bad(lines.OfKey(data, "rootfs"), "rootfs: no packages")
	}
	for i, s := range in.Suites {
		line := lines.With(data, 0, lines.Quoted(s.Archive), lines.Quoted(s.Name))
		if !names.Suite.MatchString(s.Archive) || !names.Suite.MatchString(s.Name) {
			r.Bad(line, "suite %q of archive %q: not a name", s.Name, s.Archive)
		}
		if slices.Contains(in.Suites[:i], s) {
			r.Bad(lines.With(data, 1, lines.Quoted(s.Archive), lines.Quoted(s.Name)), "suite %s of archive %s: listed twice", s.Name, s.Archive)
		}
	}
	listed := in.checkPackages(slices.Concat(in.Rootfs, in.Builder), data, r)
	maps.Copy(listed, in.checkPackages(in.Headers, data, r))
	in.checkPackages(in.Dev, data, r)
	in.checkExclude(listed, data, r)
	in.checkLibraries(data, r)
	in.checkWithout(data, r)
}

func (in DebianList) checkWithout(data []byte, r *lines.Report) {
	seen := map[string]bool{}
	for _, w := range in.Without {
		line := lines.With(data, 0, "package = "+lines.Quoted(w.Package)+", reason")
		if !names.Debian.MatchString(w.Package) {
			r.Bad(line, "without: %q: not a Debian package name", w.Package)
		}
		if slices.Contains(in.Rootfs, w.Package) {
			r.Bad(line, "without: %s: is listed in rootfs", w.Package)
		}
		if w.Reason == "" {
			r.Bad(line, "without: %s: no reason", w.Package)
		}
		if seen[w.Package] {
			r.Bad(line, "without: %s: listed twice", w.Package)
		}
		seen[w.Package] = true
	}
}

func (in DebianList) checkPackages(packages []string, data []byte, r *lines.Report) map[string]bool {
	listed := map[string]bool{}
	for _, pkg := range packages {
		if !names.Debian.MatchString(pkg) {
			r.Bad(lines.With(data, 0, lines.Quoted(pkg)), "%q: not a Debian package name", pkg)
		}
		if listed[pkg] {
			r.Bad(lines.With(data, 1, lines.Quoted(pkg)), "%s: listed twice", pkg)
		}
		listed[pkg] = true
	}
	return listed
}

func (in DebianList) checkExclude(listed map[string]bool, data []byte, r *lines.Report) {
	seen := map[[2]string]bool{}
	for _, e := range in.Exclude {
		line := lines.With(data, 0, lines.Quoted(e.Package), lines.Quoted(e.Depends))
		if !listed[e.Package] {
			r.Bad(line, "%s: excludes %s, but is not listed itself", e.Package, e.Depends)
		}
		if !names.Debian.MatchString(e.Depends) {
			r.Bad(line, "%s: excludes %q, which is not a Debian package name", e.Package, e.Depends)
		}
		if listed[e.Depends] {
			r.Bad(line, "%s: excludes %s, which is listed", e.Package, e.Depends)
		}
		if e.Reason == "" {
			r.Bad(line, "%s: excludes %s without a reason", e.Package, e.Depends)
		}
		if seen[[2]string{e.Package, e.Depends}] {
			r.Bad(lines.With(data, 1, lines.Quoted(e.Package), lines.Quoted(e.Depends)), "%s: excludes %s twice", e.Package, e.Depends)
		}
		seen[[2]string{e.Package, e.Depends}] = true
	}
}

func (in DebianList) checkLibraries(data []byte, r *lines.Report) {
	for _, project := range slices.Sorted(maps.Keys(in.Libraries)) {
		line := lines.OfKey(data, project)
		if !names.Project.MatchString(project) {
			r.Bad(line, "libraries: %q is not a normalised project name", project)
		}
		if len(in.Libraries[project]) == 0 {
			r.Bad(line, "libraries: %s: none", project)
		}
		for i, library := range in.Libraries[project] {
			if !slices.Contains(in.Headers, library) {
				r.Bad(line, "libraries: %s: %s is not one of headers", project, library)
			}
			if slices.Contains(in.Libraries[project][:i], library) {
				r.Bad(line, "libraries: %s: %s: listed twice", project, library)
			}
		}
	}
}
