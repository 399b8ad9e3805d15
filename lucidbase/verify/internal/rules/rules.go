// Package rules has the rules that every image is held to. Each file is a rule, called
// like it: a Rule with its words, the check, and nothing that another rule asks for
// too: that is a question to overlay.Image. Whoever adds a rule writes such a file and
// its test, and puts the rule into its group below.
package rules

import (
	"cmp"
	"slices"
	"strings"

	"github.com/lucid-project/base-images/lucidbase/verify/internal/overlay"
)

// Rule is one thing that an image must fulfil.
type Rule struct {
	Name string
	// Summary says what must hold, in one line.
	Summary string
	// Why says what goes wrong otherwise, Fix what to do about it.
	Why, Fix string
	// Check returns what breaks the rule, in any order and more than once.
	Check func(*overlay.Image) []overlay.Hit
}

// The rules, group by group, in the order in which they are printed.
var (
	// Absent are the rules about what must not be in an image.
	Absent = []Rule{
		shellRule, scriptRule, packageManagerRule, compilerRule, packedRule, setuidRule, capabilitiesRule,
		deviceRule, worldWritableRule, secretFileRule, secretConfigRule, cacheRule, deletedRule,
	}
	// User are the rules about who it runs as.
	User = []Rule{
		userRule, ownerRule, commandRule, entryRule, healthcheckRule, envPathRule, workdirRule,
	}
	// Works are the rules about whether it can work.
	Works = []Rule{
		elfDamagedRule, elfMachineRule, elfInterpreterRule, elfNeededRule, elfVersionRule, elfLibcRule,
		elfAlignRule, elfStackRule, linkRule, venvRule, startRule, editableRule, recordRule, requiresRule,
		duplicateRule, collisionRule, bytecodeRule, importRule,
	}
	// Origin are the rules about where it comes from.
	Origin = []Rule{
		baseRule, devRule, packagesRule, distributionsRule, layersRule, platformRule, diffIDRule, mediaTypeRule,
		indexRule,
	}
)

// Hits returns what breaks the rule, sorted by path, each once and with what to do
// about it.
func (r Rule) Hits(im *overlay.Image) []overlay.Hit {
	hits := r.Check(im)
	slices.SortStableFunc(hits, func(a, b overlay.Hit) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Layer, b.Layer), cmp.Compare(a.Found, b.Found))
	})
	hits = slices.Compact(hits)
	for i := range hits {
		hits[i].Fix = cmp.Or(hits[i].Fix, r.Fix)
	}
	return hits
}

func hasAny(s string, parts []string) bool {
	for _, p := range parts {
		if strings.Contains(s, p) {
			return true
		}
	}
	return false
}
