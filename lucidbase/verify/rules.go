package verify

import (
	"cmp"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Group is a kind of rules.
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
	check    func(*image) []hit
}

// Rules lists every rule, group by group. It is the one place where a rule is
// defined and documented.
func Rules() []Rule { return slices.Clone(rules) }

func isRule(name string) bool {
	return slices.ContainsFunc(rules, func(r Rule) bool { return r.Name == name })
}

// hit is a finding before its rule's words are added.
type hit struct {
	path  string
	layer int // index of the layer; -1 for none
	found string
	// fix is what to do where the rule's own words do not fit; mostly empty.
	fix string
}

// atConfig is one hit at a field of the config, or at what else no layer holds.
func atConfig(field, found string) []hit {
	return []hit{{path: field, layer: -1, found: found}}
}

// fixedBy adds what to do about a hit for which the rule's fix is the wrong advice.
func (h hit) fixedBy(fix string) hit {
	h.fix = fix
	return h
}

// withFix adds the same remedy to several hits.
func withFix(hits []hit, fix string) []hit {
	for i := range hits {
		hits[i].fix = fix
	}
	return hits
}

// Check applies the contract's rules to an image: its config, and the facts of
// its layers in the config's order. The findings are sorted by rule as in Rules,
// then by path; waived ones are left out.
func Check(config *v1.ConfigFile, layers []Facts, c Contract) []Finding {
	findings, _ := judge(overlay(config, layers, c.want()), c)
	return findings
}

// judge gives the findings that are waived apart.
func judge(im *image, c Contract) (findings, waived []Finding) {
	for _, r := range rules {
		if !c.applies(r.Name) {
			continue
		}
		found, excused := r.findings(r.check(im), im.layers, c)
		findings, waived = append(findings, found...), append(waived, excused...)
	}
	return findings, waived
}

// findings adds the rule's words to its hits.
func (r Rule) findings(hits []hit, layers []Facts, c Contract) (findings, waived []Finding) {
	slices.SortStableFunc(hits, func(a, b hit) int {
		return cmp.Or(cmp.Compare(a.path, b.path), cmp.Compare(a.layer, b.layer), cmp.Compare(a.found, b.found))
	})
	for _, h := range slices.Compact(hits) {
		f := Finding{Rule: r.Name, Path: h.path, Found: h.found, Why: r.Why, Fix: cmp.Or(h.fix, r.Fix)}
		if h.layer >= 0 {
			f.Layer = layers[h.layer].DiffID
		}
		if c.waives(f) {
			waived = append(waived, f)
		} else {
			findings = append(findings, f)
		}
	}
	return findings, waived
}

// rules is filled from one variable a group; the order is that of the groups.
var rules = slices.Concat(absentRules, userRules, worksRules, originRules)
