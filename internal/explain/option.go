package explain

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/google/shlex"
)

// Option is an option of a line, in its long form.
type Option struct{ Name, Value string }

// role is what is made of an option.
type role int

const (
	include  role = iota // another file of the list
	editable             // a project to install in place
	place                // where packages come from: says is the setting
	choice               // formats and releases: see control
	mode                 // whether every line needs a hash
	hash                 // of a requirement
	ignored              // says is a warning
	refused              // says is why
)

// rule is how an option is read.
type rule struct {
	role
	flag bool // it has no value
	says string
}

const noSettings = "a source is built by its own settings: remove it"

// rules has every option that pip documents for a requirements file, those of
// former versions included. docs/locks.md shows it to users; a test compares.
var rules = map[string]rule{
	"--requirement":       {role: include},
	"--constraint":        {role: include},
	"--editable":          {role: editable},
	"--index-url":         {role: place, says: "UV_DEFAULT_INDEX"},
	"--extra-index-url":   {role: place, says: "UV_INDEX"},
	"--find-links":        {role: place, says: "UV_FIND_LINKS"},
	"--no-index":          {role: refused, flag: true, says: "a lock needs an index: remove it"},
	"--trusted-host":      {role: ignored, says: "certificates are verified all the same: name the authority with --ca-bundle, or set UV_INSECURE_HOST"},
	"--no-binary":         {role: choice},
	"--only-binary":       {role: choice},
	"--all-releases":      {role: choice},
	"--only-final":        {role: choice},
	"--pre":               {role: choice, flag: true},
	"--prefer-binary":     {role: ignored, flag: true, says: "the newest version is locked, and compiled where it has no wheel: --only-binary forbids that"},
	"--require-hashes":    {role: mode, flag: true},
	"--no-require-hashes": {role: mode, flag: true},
	"--use-feature":       {role: ignored, says: "it is about pip, which does not resolve here"},
	"--hash":              {role: hash},
	"--config-settings":   {role: refused, says: noSettings},
	"--global-option":     {role: refused, says: noSettings},
	"--install-option":    {role: refused, says: noSettings},
}

var otherNames = map[string]string{
	"-r": "--requirement", "-c": "--constraint", "-e": "--editable", "-i": "--index-url", "--pypi-url": "--index-url", "-f": "--find-links",
	"-C": "--config-settings", "--config-setting": "--config-settings",
}

// ofRequirement are the options that stand behind a requirement.
var ofRequirement = []string{"--hash", "--config-settings", "--global-option", "--install-option"}

// windowsPath is a backslash that separates directories, and quotes nothing.
var windowsPath = regexp.MustCompile(`\\([A-Za-z0-9._-])`)

// splitOptions reads the options of a line, as a shell and optparse do; problem
// says why that cannot be.
func splitOptions(text string) (options []Option, problem string) {
	words, err := shlex.Split(windowsPath.ReplaceAllString(text, `\\$1`))
	if err != nil {
		return nil, "a quotation mark without its second"
	}
	for len(words) > 0 {
		name, value, joined := strings.Cut(words[0], "=")
		if len(name) > 2 && name[0] == '-' && name[1] != '-' { // -rFILE
			name, value, joined = name[:2], words[0][2:], true
		}
		words = words[1:]
		long := name
		if other := otherNames[name]; other != "" {
			long = other
		}
		r, ok := rules[long]
		switch {
		case !ok && !strings.HasPrefix(name, "-"):
			return nil, fmt.Sprintf("%q belongs to no option", Mask(name))
		case !ok:
			return nil, name + " is no option of a requirements file"
		case r.flag && joined:
			return nil, name + " takes no value"
		case !r.flag && !joined && len(words) > 0:
			value, words = words[0], words[1:]
		}
		if !r.flag && strings.TrimSpace(value) == "" {
			return nil, name + " without " + map[bool]string{true: "a file", false: "a value"}[r.role == include]
		}
		options = append(options, Option{long, value})
	}
	return options, ""
}

// option reads a line that begins with a hyphen.
func (l *Line) option(text string) {
	if l.Options, l.Problem = splitOptions(text); l.Problem != "" {
		l.Options = nil
		return
	}
	l.Kind = Setting
	first := l.Options[0]
	for _, o := range l.Options {
		switch rules[o.Name].role {
		case include, editable:
			if len(l.Options) > 1 {
				l.Kind, l.Problem = Broken, first.Name+" and "+l.Options[1].Name+" on one line: pip reads one of them"
				return
			}
		case hash:
			l.Problem = cmp.Or(l.Problem, l.addHash(o.Value))
		}
	}
	switch rules[first.Name].role {
	case include:
		l.Kind, l.Path, l.Constraint = Include, first.Value, first.Name == "--constraint"
	case editable:
		l.Kind = Local
		if isAddress(first.Value) {
			edited := parseLine(first.Value, nil)
			l.Kind, l.Name, l.Written = Direct, edited.Name, edited.Written
		}
	default:
		if said := unset(text); said != "" && !slices.ContainsFunc(l.Options, func(o Option) bool { return rules[o.Name].role == place }) {
			l.Kind, l.Problem = Broken, said
		}
	}
	if l.Problem != "" {
		l.Kind = Broken
	}
}

// requirementOptions reads what stands behind a requirement.
func (l *Line) requirementOptions(text string) {
	if l.Options, l.OptionProblem = splitOptions(text); l.OptionProblem != "" {
		l.Options = nil
		return
	}
	for _, o := range l.Options {
		problem := ""
		switch {
		case !slices.Contains(ofRequirement, o.Name):
			problem = o.Name + " belongs on a line of its own"
		case o.Name == "--hash":
			problem = l.addHash(o.Value)
		}
		l.OptionProblem = cmp.Or(l.OptionProblem, problem)
	}
}

var hexDigits = regexp.MustCompile(`^[0-9a-f]+$`)

// digests are the hash functions that pip takes, and their lengths in digits.
var digests = map[string]int{"sha256": 64, "sha384": 96, "sha512": 128}

// addHash notes a hash, or says why it is none.
func (l *Line) addHash(value string) (problem string) {
	algorithm, digits, _ := strings.Cut(value, ":")
	algorithm, digits = strings.ToLower(algorithm), strings.ToLower(digits)
	switch length := digests[algorithm]; {
	case length == 0:
		return fmt.Sprintf("--hash=%s: pip takes sha256, sha384 and sha512", value)
	case len(digits) != length || !hexDigits.MatchString(digits):
		return fmt.Sprintf("--hash=%s: %s has %d hexadecimal digits", value, algorithm, length)
	}
	l.Hashes = append(l.Hashes, algorithm+":"+digits)
	return ""
}
