package verify

import (
	"maps"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/lucid-project/base-images/lucidbase/verify/internal/overlay"
	"github.com/lucid-project/base-images/lucidbase/verify/internal/rules"
)

// Group is what several rules are about.
type Group string

// The groups, in the order in which they are printed.
const (
	Absent Group = "what must not be there"
	User   Group = "who it runs as"
	Works  Group = "whether it can work"
	Origin Group = "where it comes from"
)

// Rule is one thing that an image must fulfil.
type Rule struct {
	Name  string
	Group Group
	// Summary says what must hold, in one line.
	Summary string
	// Why says what goes wrong otherwise, Fix what to do about it.
	Why, Fix string
}

// Rules returns every rule, group by group.
func Rules() []Rule {
	list := make([]Rule, len(all))
	for i, r := range all {
		list[i] = r.Rule
	}
	return list
}

// Refused returns the names of the Python distributions that the rule
// package-manager refuses in every image, sorted.
func Refused() []string {
	return slices.Compact(slices.Sorted(maps.Values(rules.ManagerModules)))
}

// rule is a Rule with its check.
type rule struct {
	Rule
	hits func(*overlay.Image) []overlay.Hit
}

var all = slices.Concat(group(Absent, rules.Absent), group(User, rules.User), group(Works, rules.Works), group(Origin, rules.Origin))

func group(g Group, list []rules.Rule) []rule {
	var group []rule
	for _, r := range list {
		group = append(group, rule{Rule{r.Name, g, r.Summary, r.Why, r.Fix}, r.Hits})
	}
	return group
}

func isRule(name string) bool {
	return slices.ContainsFunc(all, func(r rule) bool { return r.Name == name })
}

// Check applies the contract's rules to an image: its config, and the facts of
// its layers in the config's order. The findings are sorted by rule as in Rules,
// then by path; waived ones are left out.
func Check(config *v1.ConfigFile, layers []Facts, c Contract) []Finding {
	findings, _ := judge(overlay.New(config, layers, c.want()), c)
	return findings
}

// judge returns the findings that are waived apart.
func judge(im *overlay.Image, c Contract) (findings, waived []Finding) {
	for _, r := range all {
		found, excused := r.judge(im, c)
		findings, waived = append(findings, found...), append(waived, excused...)
	}
	return findings, waived
}

func (r rule) judge(im *overlay.Image, c Contract) (findings, waived []Finding) {
	if !c.applies(r.Name) {
		return nil, nil
	}
	for _, h := range r.hits(im) {
		f := Finding{Rule: r.Name, Path: h.Path, Source: c.source(h.Path), Found: h.Found, Why: r.Why, Fix: h.Fix}
		if h.Layer >= 0 {
			f.Layer = im.Layers[h.Layer].DiffID
		}
		if c.waives(f) {
			waived = append(waived, f)
		} else {
			findings = append(findings, f)
		}
	}
	return findings, waived
}
