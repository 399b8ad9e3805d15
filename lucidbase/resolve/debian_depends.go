package resolve

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"pault.ag/go/debian/dependency"
	"pault.ag/go/debian/version"
)

// checkDepends reports every dependency of packages that available does not
// satisfy and that is not excluded.
func checkDepends(packages, available []candidate, exclusions *exclusions) []error {
	var errs []error
	for _, c := range packages {
		for _, relation := range c.depends {
			if satisfied(relation, c.arch, available) || exclusions.cover(c.Name, relation) {
				continue
			}
			errs = append(errs, fmt.Errorf("package %s %s needs %s, which is neither listed nor excluded",
				c.Name, c.Version, formatRelation(relation)))
		}
	}
	return errs
}

// satisfied reports whether one of the alternatives is available (Debian policy,
// sections 7.1 and 7.5). An empty relation, as after a last comma, asks nothing.
func satisfied(relation dependency.Relation, arch string, available []candidate) bool {
	if len(relation.Possibilities) == 0 {
		return true
	}
	return slices.ContainsFunc(relation.Possibilities, func(p dependency.Possibility) bool {
		return ourArchitecture(p, arch) && slices.ContainsFunc(available, func(c candidate) bool { return c.satisfies(p) })
	})
}

// ourArchitecture reports whether a name's qualifier, as in "python3:any", lets
// packages of arch be meant: there are no others in an image.
func ourArchitecture(p dependency.Possibility, arch string) bool {
	if p.Arch == nil {
		return true
	}
	qualifier := p.Arch.String()
	return qualifier == "any" || qualifier == arch
}

func (c candidate) satisfies(p dependency.Possibility) bool {
	if c.Name == p.Name {
		return p.Version == nil || p.Version.SatisfiedBy(c.version)
	}
	return slices.ContainsFunc(c.provides, func(provided dependency.Possibility) bool {
		if provided.Name != p.Name {
			return false
		}
		if p.Version == nil {
			return true
		}
		// A name provided without a version is of none.
		if provided.Version == nil {
			return false
		}
		v, err := version.Parse(provided.Version.Number)
		return err == nil && p.Version.SatisfiedBy(v)
	})
}

func formatRelation(relation dependency.Relation) string {
	var alternatives []string
	for _, p := range relation.Possibilities {
		s := p.Name
		if p.Arch != nil {
			s += ":" + p.Arch.String()
		}
		if p.Version != nil {
			s += " (" + p.Version.Operator + " " + p.Version.Number + ")"
		}
		alternatives = append(alternatives, s)
	}
	return strings.Join(alternatives, " | ")
}

// exclusions are the dependencies that are left out on purpose; each must be
// needed on a platform, or the list would rot.
type exclusions struct {
	list []Exclusion
	used []bool
}

func newExclusions(list []Exclusion) *exclusions {
	return &exclusions{list: list, used: make([]bool, len(list))}
}

// cover reports whether one of a relation's alternatives is excluded.
func (e *exclusions) cover(pkg string, relation dependency.Relation) bool {
	covered := false
	for i, x := range e.list {
		if x.Package == pkg && slices.ContainsFunc(relation.Possibilities, func(p dependency.Possibility) bool { return p.Name == x.Depends }) {
			e.used[i], covered = true, true
		}
	}
	return covered
}

func (e *exclusions) checkAllUsed() error {
	var errs []error
	for i, x := range e.list {
		if !e.used[i] {
			errs = append(errs, fmt.Errorf("package %s: the exclusion of %s is needless: no such dependency is missing", x.Package, x.Depends))
		}
	}
	return errors.Join(errs...)
}
