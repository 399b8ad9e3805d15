package verify

import (
	"slices"
	"strings"

	"github.com/lucid-project/base-images/lucidbase/verify/internal/python"
)

// neededBy says which of the installed distributions need one of this name, as
// "; gunicorn and APScheduler need it"; empty if none does.
func (im *image) neededBy(name string) string {
	s := im.python()
	var names []string
	for _, env := range s.environments {
		w := &resolved{im: im, parsed: map[string]*python.Requirement{}, markers: im.markerEnvironments(env)}
		for _, dir := range env.path {
			for _, d := range s.distributions[dir] {
				asks := func(r *python.Requirement) bool { return python.Name(r.Name) == name }
				if python.Name(d.Name) != name && slices.ContainsFunc(w.active(d), asks) {
					names = append(names, d.Name)
				}
			}
		}
	}
	slices.Sort(names)
	switch names = slices.Compact(names); len(names) {
	case 0:
		return ""
	case 1:
		return "; " + names[0] + " needs it"
	}
	last := len(names) - 1
	return "; " + strings.Join(names[:last], ", ") + " and " + names[last] + " need it"
}
