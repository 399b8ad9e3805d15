package resolve

import (
	"slices"
	"strings"

	"github.com/lucid-project/base-images/lucidbase/lock"
)

// Compiled says what is built from source, for which targets and why, a line
// each, such as "pymongo 4.15.4: compiled from source for musllinux_1_2_x86_64,
// musllinux_1_2_aarch64: no wheel is published for them".
func Compiled(p lock.Packages) []string {
	var lines []string
	for _, r := range p.Requirements {
		if r.Sdist != nil {
			lines = append(lines, r.Name+" "+compiledAs(r)+because(r.Sdist))
		}
	}
	return lines
}

func compiledAs(r lock.Requirement) string {
	if slices.Contains(r.Sdist.Targets, lock.AnyTarget) {
		return r.Version + ": built from source, once for all platforms"
	}
	return r.Version + ": compiled from source for " + strings.Join(r.Sdist.Targets, ", ")
}

func because(s *lock.Sdist) string {
	switch {
	case slices.Contains(s.Targets, lock.AnyTarget):
		return ": no wheel is published"
	case len(s.Targets) == 1:
		return ": no wheel is published for it"
	}
	return ": no wheel is published for them"
}

// OwnChanges is Changes for a lock of one's own requirements.
func OwnChanges(old, now lock.Packages) []string {
	return packagesChanges(map[lock.Tier]lock.Packages{"": old}, map[lock.Tier]lock.Packages{"": now})
}

// packagesChanges says what is locked otherwise, and what is compiled now and was
// not, with the reason where it is new.
func packagesChanges(old, now map[lock.Tier]lock.Packages) []string {
	before, after := packagesTables(old), packagesTables(now)
	return append(before[0].diff("python", after[0]), before[1].diff("source", after[1])...)
}

// packagesTables returns what is locked, and what is compiled of it.
func packagesTables(tiers map[lock.Tier]lock.Packages) [2]table {
	all, compiled := table{}, table{}
	for tier, p := range tiers {
		for _, r := range p.Requirements {
			one := lock.Packages{Targets: p.Targets, Requirements: lock.Requirements{r}}
			source := r.Sdist
			one.Requirements[0].Sdist = nil
			version := r.Version
			if r.Marker != "" {
				version += " ; " + r.Marker
			}
			all.add(r.Name, string(tier), item{
				version: version, content: string(one.Requirements.Format()) + string(one.FormatTOML()), what: "other files of the same version",
			})
			if source == nil {
				continue
			}
			one.Requirements[0] = lock.Requirement{Name: r.Name, Sdist: source}
			compiled.add(r.Name, string(tier), item{
				version: compiledAs(r), content: string(one.FormatTOML()), what: "built by other requirements", reason: because(source),
			})
		}
	}
	return [2]table{all, compiled}
}
