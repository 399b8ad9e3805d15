package verify

import (
	"maps"
	"slices"
)

// Refused returns the names of the Python distributions that the rule
// package-manager refuses in every image, sorted.
func Refused() []string {
	return slices.Compact(slices.Sorted(maps.Values(managerModules)))
}
