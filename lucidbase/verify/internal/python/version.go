package python

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Version is a version of PEP 440.
type Version struct {
	epoch   number
	release []number
	// pre is "a", "b" or "rc"; empty for none.
	pre          string
	preNumber    number
	post, dev    number
	isPost, isDv bool
	local        []string
}

// number is a decimal number of any size without leading zeros; "" is 0.
type number string

func newNumber(s string) number { return number(strings.TrimLeft(s, "0")) }

func (n number) compare(m number) int {
	return cmp.Or(cmp.Compare(len(n), len(m)), cmp.Compare(n, m))
}

const versionSuffix = `(?:[-_.]?(alpha|a|beta|b|preview|pre|c|rc)[-_.]?([0-9]*))?` +
	`(-[0-9]+|[-_.]?(?:post|rev|r)[-_.]?[0-9]*)?` +
	`([-_.]?dev[-_.]?[0-9]*)?`

// versionPattern is that of PEP 440, appendix B.
var versionPattern = regexp.MustCompile(`(?i)^\s*v?(?:([0-9]+)!)?([0-9]+(?:\.[0-9]+)*)` + versionSuffix +
	`(?:\+([a-z0-9]+(?:[-_.][a-z0-9]+)*))?\s*$`)

var preNames = map[string]string{
	"alpha": "a", "a": "a", "beta": "b", "b": "b", "preview": "rc", "pre": "rc", "c": "rc", "rc": "rc",
}

// ParseVersion reads a version in any spelling that PEP 440 allows.
func ParseVersion(s string) (Version, error) {
	m := versionPattern.FindStringSubmatch(s)
	if m == nil {
		return Version{}, fmt.Errorf("version %q: not of PEP 440", s)
	}
	v := Version{
		epoch: newNumber(m[1]), pre: preNames[strings.ToLower(m[3])], preNumber: newNumber(m[4]),
		post: trailing(m[5]), isPost: m[5] != "", dev: trailing(m[6]), isDv: m[6] != "",
	}
	for part := range strings.SplitSeq(m[2], ".") {
		v.release = append(v.release, newNumber(part))
	}
	if m[7] != "" {
		v.local = strings.FieldsFunc(strings.ToLower(m[7]), func(r rune) bool { return strings.ContainsRune("-_.", r) })
	}
	return v, nil
}

// trailing returns the number that a part such as ".post12" ends with.
func trailing(part string) number {
	return newNumber(part[len(strings.TrimRight(part, "0123456789")):])
}

// Compare orders versions as PEP 440 says: 1.dev0 < 1a1 < 1 < 1+local < 1.post1.
func (v Version) Compare(w Version) int {
	return cmp.Or(v.comparePublic(w), slices.CompareFunc(v.local, w.local, compareLocal))
}

func (v Version) comparePublic(w Version) int {
	return cmp.Or(
		v.compareBase(w),
		cmp.Compare(v.phase(), w.phase()), cmp.Compare(v.pre, w.pre), v.preNumber.compare(w.preNumber),
		compareBool(v.isPost, w.isPost), v.post.compare(w.post),
		compareBool(w.isDv, v.isDv), v.dev.compare(w.dev),
	)
}

// compareBase compares epoch and release; a shorter release is filled with zeros.
func (v Version) compareBase(w Version) int {
	c := v.epoch.compare(w.epoch)
	for i := 0; c == 0 && i < max(len(v.release), len(w.release)); i++ {
		c = v.segment(i).compare(w.segment(i))
	}
	return c
}

func (v Version) segment(i int) number {
	if i < len(v.release) {
		return v.release[i]
	}
	return ""
}

// phase sorts 1.dev0 before 1a1 before 1.
func (v Version) phase() int {
	switch {
	case v.pre == "" && !v.isPost && v.isDv:
		return 0
	case v.pre != "":
		return 1
	}
	return 2
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// compareLocal sorts numbers behind words.
func compareLocal(a, b string) int {
	an, bn := isNumber(a), isNumber(b)
	if an && bn {
		return newNumber(a).compare(newNumber(b))
	}
	return cmp.Or(compareBool(an, bn), cmp.Compare(a, b))
}

func isNumber(s string) bool { return strings.Trim(s, "0123456789") == "" }

func (v Version) isPre() bool { return v.pre != "" || v.isDv }

// isPostOf reports whether v differs from w at most by post, development and local
// releases.
func (v Version) isPostOf(w Version) bool {
	return v.compareBase(w) == 0 && v.pre == w.pre && v.preNumber == w.preNumber
}
