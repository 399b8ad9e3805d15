package explain

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/lucid-project/base-images/lucidbase/lock"
)

var comment = regexp.MustCompile(`(^|\s+)#.*$`)

// ParseLines reads the lines of a requirements file, without blank ones and
// comments. It knows pip's format: what it cannot read is a Broken line, never
// an error. name is what errors call the file.
func ParseLines(name string, data []byte) []Line {
	var lines []Line
	var joined strings.Builder
	physical := strings.Split(decode(data), "\n")
	first := 1
	for i, text := range physical {
		// A comment does not go on, even if it ends with a backslash.
		begun, continued := strings.CutSuffix(text, `\`)
		if continued && !strings.HasPrefix(strings.TrimSpace(text), "#") && i+1 < len(physical) {
			joined.WriteString(begun)
			continue
		}
		joined.WriteString(text)
		if l := parseLine(joined.String()); l.Text != "" {
			l.File, l.First, l.Last = name, first, i+1
			lines = append(lines, l)
		}
		joined.Reset()
		first = i + 2
	}
	return lines
}

func parseLine(text string) Line {
	l := Line{}
	at := comment.FindStringIndex(text)
	if at != nil {
		l.Comment = strings.TrimSpace(text[at[0]:])
		text = text[:at[0]]
	}
	l.Text = strings.TrimSpace(text)
	switch {
	case l.Text == "":
	case l.Text[0] == '-':
		l.option()
	case isLocal(l.Text):
		l.Kind = Local
	case isAddress(l.Text):
		l.Kind = Direct
		if egg := eggName.FindStringSubmatch(l.Text); egg != nil {
			l.Written, l.Name = egg[1], lock.NormalizeName(egg[1])
		}
	default:
		l.project()
	}
	return l
}

var (
	eggName = regexp.MustCompile(`[#&]egg=([A-Za-z0-9][A-Za-z0-9._-]*)`)
	address = regexp.MustCompile(`^(?:(?:git|hg|svn|bzr)\+)?[a-z][a-z+]*://|^git\+`)
	archive = regexp.MustCompile(`(?i)\.(?:whl|zip|tar\.gz|tgz|tar\.bz2)$`)
	drive   = regexp.MustCompile(`^[A-Za-z]:[\\/]`)
)

func isAddress(text string) bool {
	return address.MatchString(text) && !strings.HasPrefix(text, "file:")
}

func isLocal(text string) bool {
	if strings.HasPrefix(text, "file:") || strings.HasPrefix(text, ".") || drive.MatchString(text) || strings.IndexAny(text, `/\~`) == 0 {
		return true
	}
	word := strings.Fields(text)[0]
	return !address.MatchString(text) && !strings.Contains(text, "@") &&
		(archive.MatchString(word) || strings.ContainsAny(word, `/\`) && !strings.ContainsAny(word, "<>=!;["))
}

var (
	includes = map[string]bool{"-r": true, "--requirement": true, "-c": true, "--constraint": true}
	indexes  = map[string]bool{
		"-i": true, "--index-url": true, "--extra-index-url": true, "--no-index": true,
		"-f": true, "--find-links": true, "--trusted-host": true,
	}
	others = map[string]bool{
		"--pre": true, "--prefer-binary": true, "--no-binary": true, "--only-binary": true, "--require-hashes": true,
		"--use-feature": true, "--no-deps": true, "--no-cache-dir": true, "--upgrade": true, "-U": true,
	}
)

// option reads a line that begins with a hyphen. The short options take their
// value without a space, too.
func (l *Line) option() {
	name, value, _ := strings.Cut(l.Text, " ")
	if long, v, ok := strings.Cut(name, "="); ok {
		name, value = long, v
	} else if len(name) > 2 && name[1] != '-' {
		name, value = name[:2], name[2:]+" "+value
	}
	value = strings.Trim(strings.TrimSpace(value), `"'`)
	switch {
	case includes[name] && value == "":
		l.Problem = name + " without a file"
	case includes[name]:
		l.Kind, l.Path, l.Constraint = Include, value, name == "-c" || name == "--constraint"
	case indexes[name]:
		l.Kind = Index
	case name == "-e" || name == "--editable":
		l.Kind = Local
		if isAddress(value) {
			edited := parseLine(value)
			l.Kind, l.Name, l.Written = edited.Kind, edited.Name, edited.Written
		}
	case others[name]:
		l.Kind = Other
	default:
		l.Problem = fmt.Sprintf("%s is no option of a requirements file", name)
	}
}

var (
	projectName = regexp.MustCompile(`^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?`)
	extrasPart  = regexp.MustCompile(`^\[\s*((?:[A-Za-z0-9._-]+\s*,\s*)*(?:[A-Za-z0-9._-]+)?)\s*\]`)
	lineOption  = regexp.MustCompile(`\s--?[A-Za-z]`)
)

// project reads a line that begins with a project's name (PEP 508).
func (l *Line) project() {
	text := l.Text
	if at := lineOption.FindStringIndex(text); at != nil {
		text = text[:at[0]] // --hash and the like: a lock has its own
	}
	l.Written = projectName.FindString(text)
	if l.Written == "" {
		l.Problem = "not a project's name"
		return
	}
	l.Name = lock.NormalizeName(l.Written)
	rest := strings.TrimSpace(text[len(l.Written):])
	if m := extrasPart.FindStringSubmatch(rest); m != nil {
		l.Extras = strings.Join(strings.FieldsFunc(m[1], func(r rune) bool { return r == ',' || r == ' ' || r == '\t' }), ",")
		rest = strings.TrimSpace(rest[len(m[0]):])
	} else if strings.HasPrefix(rest, "[") {
		l.Problem = "its extras are not [NAME,NAME]"
		return
	}
	if url, ok := strings.CutPrefix(rest, "@"); ok {
		l.Kind = Direct
		if strings.HasPrefix(strings.TrimSpace(url), "file:") {
			l.Kind = Local
		}
		return
	}
	spec, marker, marked := strings.Cut(rest, ";")
	l.Marker = strings.TrimSpace(marker)
	if marked && l.Marker == "" {
		l.Problem, l.Remedy = "nothing after the semicolon", l.Written+strings.TrimSpace(spec)
		return
	}
	l.versions(strings.TrimSpace(spec))
}
