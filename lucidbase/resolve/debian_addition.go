package resolve

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/moby/buildkit/util/suggest"
	"pault.ag/go/debian/dependency"
	"pault.ag/go/debian/version"

	"github.com/lucid-project/base-images/lucidbase/lock"
)

// addition collects the packages that are added to what is there: those that are wanted,
// and what they need.
type addition struct {
	*pool
	// base are the packages that are there, and stay as they are.
	base []candidate
	// without are packages that are not needed, whatever depends on them.
	without []string
	// modules says that Debian's packages of Python modules may be added to a base's.
	modules bool
	chosen  []candidate
	// neededBy is the package for which another one was chosen.
	neededBy map[string]string
}

var errNoPackage = errors.New("in none of the suites")

// all returns the chosen packages, sorted by name, with everything that is wrong.
func (a *addition) all(wanted []string) ([]candidate, []error) {
	var errs []error
	for _, name := range wanted {
		if !a.has(name) {
			errs = append(errs, a.want(name))
		}
	}
	for i := 0; i < len(a.chosen); i++ { // it grows meanwhile
		for _, relation := range a.chosen[i].depends {
			errs = append(errs, a.need(a.chosen[i], relation))
		}
	}
	errs = append(errs, a.conflicts()...)
	slices.SortFunc(a.chosen, func(x, y candidate) int { return strings.Compare(x.Name, y.Name) })
	return a.chosen, slices.DeleteFunc(errs, func(err error) bool { return err == nil })
}

// has reports whether a package is there or chosen.
func (a *addition) has(name string) bool {
	named := func(have candidate) bool { return have.Name == name }
	return slices.ContainsFunc(a.base, named) || slices.ContainsFunc(a.chosen, named)
}

// want chooses a package that somebody asks for by its name.
func (a *addition) want(name string) error {
	if err := a.unfit(name); err != nil {
		return err
	}
	found, err := a.named(name)
	switch {
	case err != nil:
		return err
	case len(found) == 0:
		if near, ok := suggest.Search(name, slices.Sorted(maps.Keys(a.stanzas)), true); ok {
			return fmt.Errorf("package %s: %w; did you mean %s?", name, errNoPackage, near)
		}
		return fmt.Errorf("package %s: %w", name, errNoPackage)
	case found[0].Name != name:
		var providers []string
		for _, c := range found {
			providers = append(providers, c.Name)
		}
		return fmt.Errorf("package %s: %w; it is what %s provide", name, errNoPackage, strings.Join(providers, ", "))
	}
	return a.choose(name, func(candidate) bool { return true })
}

// unfit reports what a service has no use for.
func (a *addition) unfit(name string) error {
	found, _ := a.versions(name) // want reports what is wrong with it
	switch {
	case len(a.base) == 0 || len(found) == 0:
	case !a.modules && strings.HasPrefix(name, "python3-"):
		return fmt.Errorf("package %s: Python's packages are those of a list of requirements", name)
	case strings.HasSuffix(name, "-dev"):
		for _, relation := range found[0].depends {
			for _, p := range relation.Possibilities {
				if strings.HasPrefix(p.Name, "lib") && !strings.HasSuffix(p.Name, "-dev") {
					return fmt.Errorf("package %s: it is to compile with; did you mean %s?", name, p.Name)
				}
			}
		}
		return fmt.Errorf("package %s: it is to compile with", name)
	}
	return nil
}

// choose chooses the newest version that fits and whose own needs the base leaves open,
// or else the newest that fits.
func (a *addition) choose(name string, fits func(candidate) bool) error {
	found, err := a.versions(name)
	if err != nil {
		return err
	}
	found = slices.DeleteFunc(found, func(c candidate) bool { return !fits(c) })
	i := slices.IndexFunc(found, func(c candidate) bool {
		return !slices.ContainsFunc(c.depends, func(r dependency.Relation) bool { return a.barred(r) != nil })
	})
	a.chosen = append(a.chosen, found[max(0, i)])
	return nil
}

// barred returns the package of the base that has the wrong version, where a relation asks
// for no other package.
func (a *addition) barred(relation dependency.Relation) *candidate {
	if satisfied(relation, a.arch, a.base) {
		return nil
	}
	var wrong *candidate
	for _, p := range relation.Possibilities {
		i := slices.IndexFunc(a.base, func(have candidate) bool { return have.Name == p.Name })
		if i < 0 {
			return nil
		}
		wrong = &a.base[i]
	}
	return wrong
}

// need chooses what satisfies the first alternative that there is, unless another one is
// there or needed anyway.
func (a *addition) need(of candidate, relation dependency.Relation) error {
	if satisfied(relation, a.arch, a.base) || satisfied(relation, a.arch, a.chosen) {
		return nil
	}
	var providers []candidate
	for _, p := range relation.Possibilities {
		found, err := a.named(p.Name)
		if err != nil {
			return err
		}
		if slices.Contains(a.without, p.Name) || slices.ContainsFunc(found, func(c candidate) bool { return slices.Contains(a.without, c.Name) }) {
			return nil
		}
		if ourArchitecture(p, a.arch) {
			providers = append(providers, slices.DeleteFunc(slices.Clone(found), func(c candidate) bool { return a.has(c.Name) || !a.some(c.Name, p) })...)
		}
	}
	if len(providers) > 0 {
		if a.neededBy == nil {
			a.neededBy = map[string]string{}
		}
		a.neededBy[providers[0].Name] = of.Name
		return a.choose(providers[0].Name, func(c candidate) bool { return satisfied(relation, a.arch, []candidate{c}) })
	}
	needs := fmt.Sprintf("package %s %s needs %s", of.Name, of.Version, formatRelation(relation))
	if wrong := a.barred(relation); wrong != nil {
		return fmt.Errorf("%s, and the base has %s", needs, wrong.Version)
	}
	return fmt.Errorf("%s: %w", needs, errNoPackage)
}

// why says for which packages one was chosen: "mount is needed by xwayland, and that by
// chromium"; nothing for one that was asked for.
func (a *addition) why(name string) string {
	by, ok := a.neededBy[name]
	if !ok {
		return ""
	}
	text := name + " is needed by " + by
	for by, ok = a.neededBy[by]; ok; by, ok = a.neededBy[by] {
		text += ", and that by " + by
	}
	return text
}

// some reports whether a version of a package is what a possibility asks for.
func (a *addition) some(name string, p dependency.Possibility) bool {
	found, err := a.versions(name)
	return err == nil && slices.ContainsFunc(found, func(c candidate) bool { return c.satisfies(p) })
}

// conflicts reports what cannot be installed together.
func (a *addition) conflicts() []error {
	var errs []error
	everything := slices.Concat(a.base, a.chosen)
	for _, one := range a.chosen {
		for _, p := range one.conflicts {
			i := slices.IndexFunc(everything, func(other candidate) bool { return other.Name != one.Name && other.satisfies(p) })
			if i >= 0 && ourArchitecture(p, a.arch) {
				errs = append(errs, fmt.Errorf("package %s %s cannot be beside %s %s", one.Name, one.Version, everything[i].Name, everything[i].Version))
			}
		}
	}
	return errs
}

// locked returns packages of a lock as candidates. What they provide is that of their
// version or, where that has left the archive, of the newest.
func (p *pool) locked(packages []lock.Package) ([]candidate, error) {
	var all []candidate
	for _, l := range packages {
		v, err := version.Parse(l.Version)
		if err != nil {
			return nil, fmt.Errorf("package %s: version %q: %w", l.Name, l.Version, err)
		}
		known, err := p.versions(l.Name)
		if err != nil {
			return nil, err
		}
		c := candidate{Package: l, version: v, arch: p.arch}
		for i, k := range known {
			if i == 0 || version.Compare(k.version, v) == 0 {
				c.provides = k.provides
			}
		}
		all = append(all, c)
	}
	return all, nil
}
