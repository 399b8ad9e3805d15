package resolve

import (
	"slices"
	"strings"

	"github.com/lucid-project/base-images/lucidbase/lock"
)

// Compiled says what is built from source, for which targets and why, a line
// each, such as "pymongo 4.15.4: compiled from source for musllinux_1_2_x86_64,
// musllinux_1_2_aarch64: no wheel is published for them".
func Compiled(sources lock.Sources) []string {
	var lines []string
	for _, s := range sources {
		lines = append(lines, s.Name+" "+compiledAs(s)+because(s))
	}
	return lines
}

func compiledAs(s lock.Source) string {
	if slices.Contains(s.Targets, lock.AnyTarget) {
		return s.Version + ": built from source, once for all platforms"
	}
	return s.Version + ": compiled from source for " + strings.Join(s.Targets, ", ")
}

func because(s lock.Source) string {
	switch {
	case slices.Contains(s.Targets, lock.AnyTarget):
		return ": no wheel is published"
	case len(s.Targets) == 1:
		return ": no wheel is published for it"
	}
	return ": no wheel is published for them"
}

// OwnChanges is Changes for a lock of one's own requirements.
func OwnChanges(old, now Locked) []string {
	set := func(l Locked) *lock.Set {
		return &lock.Set{
			Python:  map[lock.Tier]lock.Requirements{"": l.Requirements},
			Sources: map[lock.Tier]lock.Sources{"": l.Sources},
		}
	}
	a, b := set(old), set(now)
	return append(pythonChanges(a.Python, b.Python), sourceChanges(a.Sources, b.Sources)...)
}

// sourceChanges says what is compiled now and was not, or otherwise, with the
// reason where it is new.
func sourceChanges(old, now map[lock.Tier]lock.Sources) []string {
	before, after := table{}, table{}
	for tier, sources := range old {
		before.addSources(string(tier), sources)
	}
	for tier, sources := range now {
		after.addSources(string(tier), sources)
	}
	return before.diff("source", after)
}

func (t table) addSources(tier string, sources lock.Sources) {
	byName := map[string]lock.Sources{} // several where markers differ
	for _, s := range sources {
		byName[s.Name] = append(byName[s.Name], s)
	}
	for name, same := range byName {
		var versions []string
		for _, s := range same {
			versions = append(versions, compiledAs(s))
		}
		t.add(name, tier, item{
			version: strings.Join(versions, " and "), content: string(same.Format()),
			what: "built by other requirements", reason: because(same[0]),
		})
	}
}
