package resolve

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/lucid-project/base-images/internal/explain"
	"github.com/lucid-project/base-images/internal/stage"
	"github.com/lucid-project/base-images/lucidbase/lock"
)

// HashError says that the index has no file of a package with a hash that a list
// names, or that a list which needs a hash for everything lacks some.
type HashError struct{ Finding }

// Error names the list's file and line.
func (e *HashError) Error() string { return e.String() }

// checkHashes compares what was resolved with the hashes that a list names.
func checkHashes(l stage.List, files map[string][]byte, in explain.Query) error {
	lockFile, sources := l.Outputs()
	var result listResult
	if json.Unmarshal(files[sources], &result) != nil || result.Error != "" {
		return nil // parseList says so
	}
	var errs []error
	for _, p := range in.Pins {
		if left, ok := result.Hashes[p.Name]; ok && len(left) == 0 {
			errs = append(errs, &HashError{Finding(p.Finding(fmt.Sprintf("the index has no file of %s %s with this hash", p.Name, p.Version)))})
		}
	}
	reqs, err := lock.ParseRequirements(lockFile, files[lockFile])
	if err == nil && in.Required != nil {
		var lacking []string
		for _, r := range reqs {
			if !slices.ContainsFunc(in.Pins, func(p explain.Pin) bool { return p.Name == r.Name }) {
				lacking = append(lacking, r.Name+" "+r.Version)
			}
		}
		if len(lacking) > 0 {
			why := "the list has no line and hash for what its packages need: " + strings.Join(lacking, ", ")
			errs = append(errs, &HashError{Finding(explain.Pin{Line: *in.Required}.Finding(why))})
		}
	}
	return errors.Join(errs...)
}
